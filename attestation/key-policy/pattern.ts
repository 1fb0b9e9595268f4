/** What a condition or a policy variable can ask about a request: lower-case key, one or more values. */
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
}

const PART = /\$\{([^}]*)\}|[*?]|[^*?$]+|\$/g;
const DEFAULT_VALUE = /^\s*([^,]+?)\s*(?:,\s*'([^']*)'\s*)?$/;

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
  for (const [part, variable] of pattern.matchAll(PART)) {
    if ((part === '*' || part === '?') && options.wildcards) tokens.push({ wildcard: part });
    else if (variable === undefined || !options.variables) tokens.push(part);
    else {
      const value = resolveVariable(variable, context);
      if (value === undefined) return undefined;
      tokens.push(value);
    }
  }
  return tokens;
}

function resolveVariable(variable: string, context: RequestContext): string | undefined {
  if (variable === '*' || variable === '?' || variable === '$') return variable;
  const [, key, fallback] = DEFAULT_VALUE.exec(variable) ?? [];
  const values = key === undefined ? undefined : context.get(key.toLowerCase());
  return values?.length === 1 ? values[0] : fallback;
}

/** Wildcard match in O(pattern × text), without regular expressions: patterns may be hostile. */
export function matchTokens(tokens: readonly Token[], text: string): boolean {
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

/** Action names: wildcards, no variables, case does not matter. */
export function matchAction(pattern: string, action: string): boolean {
  const tokens = compilePattern(pattern.toLowerCase(), new Map(), { wildcards: true, variables: false });
  return tokens !== undefined && matchTokens(tokens, action.toLowerCase());
}
