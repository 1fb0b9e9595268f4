/** Context of a request, for conditions and policy variables: lower-case keys, one or more values each. */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

/** A pattern after its variables were filled in: literal text, or a wildcard for one or for any characters. */
export type Token = string | Wildcard;
interface Wildcard {
  readonly wildcard: '*' | '?';
}

export interface PatternOptions {
  /** `*` and `?` are wildcards; otherwise they are themselves. */
  readonly wildcards: boolean;
  /** `${key}` is filled in: policies of version 2012-10-17 only. */
  readonly variables: boolean;
  /**
   * Value of a variable whose key the context does not have. `absent`: the request has no such key, so the variable's
   * default counts, or else the pattern matches nothing. `any`: the request is unknown, and the variable may be any text.
   * `none`: the request is unknown, and the pattern matches nothing.
   */
  readonly unknown?: 'absent' | 'any' | 'none';
}

/** A variable of a pattern, `${key}` or `${key, 'default'}`. */
interface Variable {
  readonly variable: string;
}

/**
 * Splits a policy value into literal text and wildcards. `${*}`, `${?}` and `${$}` are the characters themselves.
 * Returns undefined where a variable has no single value in the request: such a pattern matches nothing.
 * Source: IAM User Guide, "IAM policy elements: Variables and tags".
 */
export function compilePattern(
  pattern: string,
  context: RequestContext,
  options: PatternOptions,
): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (const part of splitPattern(pattern)) {
    if (typeof part === 'object') {
      const value = options.variables
        ? resolveVariable(part.variable, context, options)
        : `\${${part.variable}}`;
      if (value === undefined) return undefined;
      tokens.push(value);
    } else if ((part === '*' || part === '?') && options.wildcards) tokens.push({ wildcard: part });
    else tokens.push(part);
  }
  return tokens;
}

/**
 * Splits a pattern into variables, `*` and `?` each by itself, and the text between them. Every character is looked
 * at a fixed number of times, however many `${` stay open: patterns may be hostile.
 *
 * @param count is told how many characters were looked at
 */
export function splitPattern(
  pattern: string,
  count: (characters: number) => void = () => undefined,
): (string | Variable)[] {
  const parts: (string | Variable)[] = [];
  let from = 0;
  let closed = true;
  const flush = (to: number): void => {
    if (to > from) parts.push(pattern.slice(from, to));
  };
  for (let at = 0; at < pattern.length; at += 1) {
    count(1);
    const character = pattern[at];
    if (character === '*' || character === '?') {
      flush(at);
      parts.push(character);
      from = at + 1;
    } else if (character === '$' && pattern[at + 1] === '{' && closed) {
      const end = pattern.indexOf('}', at);
      count((end < 0 ? pattern.length : end) - at);
      closed = end >= 0;
      if (!closed) continue;
      flush(at);
      parts.push({ variable: pattern.slice(at + 2, end) });
      at = end;
      from = end + 1;
    }
  }
  flush(pattern.length);
  return parts;
}

function resolveVariable(
  variable: string,
  context: RequestContext,
  { unknown = 'absent' }: PatternOptions,
): Token | undefined {
  if (variable === '*' || variable === '?' || variable === '$') return variable;
  const { key, fallback } = readVariable(variable);
  const values = context.get(key.toLowerCase());
  if (values === undefined && unknown !== 'absent') return unknown === 'any' ? { wildcard: '*' } : undefined;
  return values?.length === 1 ? values[0] : fallback;
}

/** The key of a variable, and its default: the text between the quotes that end it. */
function readVariable(variable: string): { readonly key: string; readonly fallback?: string } {
  const comma = variable.indexOf(',');
  if (comma < 0) return { key: variable.trim() };
  const key = variable.slice(0, comma).trim();
  const quoted = variable.slice(comma + 1).trim();
  const whole = quoted.length >= 2 && quoted.startsWith("'") && quoted.indexOf("'", 1) === quoted.length - 1;
  // AWS describes no default without quotes: such a variable has neither a key nor a default.
  return whole ? { key, fallback: quoted.slice(1, -1) } : { key: '' };
}

/** Matches wildcards in O(pattern × text), without regular expressions, since patterns may be hostile. */
export function matchTokens(tokens: readonly Token[], text: string): boolean {
  if (tokens.every((token) => typeof token === 'string')) return tokens.join('') === text;
  const units = tokens.flatMap<Token>((token) => (typeof token === 'string' ? Array.from(token) : [token]));
  const characters = Array.from(text);
  let unit = 0;
  let at = 0;
  let star = -1;
  let retry = 0;
  while (at < characters.length) {
    const wanted = units[unit];
    if (typeof wanted === 'object' && wanted.wildcard === '*') {
      star = unit;
      unit += 1;
      retry = at;
    } else if (wanted !== undefined && (typeof wanted === 'object' || wanted === characters[at])) {
      unit += 1;
      at += 1;
    } else if (star >= 0) {
      unit = star + 1;
      retry += 1;
      at = retry;
    } else return false;
  }
  return units.slice(unit).every((rest) => typeof rest === 'object' && rest.wildcard === '*');
}

/** Matches the name of an action: wildcards, no variables, any case. */
export function matchAction(pattern: string, action: string): boolean {
  const tokens = compilePattern(pattern.toLowerCase(), new Map(), { wildcards: true, variables: false });
  return tokens !== undefined && matchTokens(tokens, action.toLowerCase());
}
