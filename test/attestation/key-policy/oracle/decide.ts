/**
 * A second opinion on key policies, written from AWS's documentation alone: it shares no code, constant or parser with
 * what it judges. It decides single requests; everybody is taken to have the IAM policy that they need.
 */

export interface OracleRequest {
  readonly action: string;
  readonly keyArn: string;
  readonly who: OraclePrincipal;
  /** Condition keys in lower case; every key that the request carries, those of the principal among them. */
  readonly context: Readonly<Record<string, readonly string[]>>;
}

export interface OraclePrincipal {
  /** Names by which a Principal element can mean the principal: ARNs, a service, a provider, a unique id. */
  readonly names: readonly string[];
  /** Absent for services. */
  readonly account?: string;
}

type Json = Record<string, unknown>;

export function allows(policy: string, request: OracleRequest): boolean {
  const { Statement, Version } = JSON.parse(policy) as { Statement: Json | Json[]; Version?: string };
  const applying = list(Statement).filter((one) => applies(one as Json, request, Version === '2012-10-17'));
  const effects = applying.map((one) => (one as Json)['Effect']);
  return effects.includes('Allow') && !effects.includes('Deny');
}

function applies(statement: Json, request: OracleRequest, variables: boolean): boolean {
  const { action, keyArn, who, context } = request;
  const has = (name: string, test: (entry: unknown) => boolean): boolean =>
    name in statement ? test(statement[name]) : !test(statement[`Not${name}`]);
  const resource = (entry: unknown): boolean =>
    list(entry).some((one) => {
      const glob = toRegExp(String(one), variables ? context : undefined, true);
      return glob?.test(keyArn) ?? false;
    });
  return (
    has('Principal', (entry) => names(entry, who)) &&
    has('Action', (entry) =>
      list(entry).some((one) => toRegExp(String(one), undefined, true, 'is')?.test(action)),
    ) &&
    has('Resource', resource) &&
    Object.entries((statement['Condition'] ?? {}) as Json).every(([operator, keys]) =>
      Object.entries(keys as Json).every(([key, values]) =>
        holds(
          operator,
          context[key.toLowerCase()],
          list(values).map(String),
          variables ? context : undefined,
        ),
      ),
    )
  );
}

function names(entry: unknown, { names: own, account }: OraclePrincipal): boolean {
  if (entry === '*') return true;
  return Object.values(entry as Json)
    .flatMap(list)
    .some((one) => {
      const name = String(one);
      if (name === '*' || own.includes(name)) return true;
      return (
        account !== undefined &&
        (name === account || new RegExp(`^arn:[a-z-]+:iam::${account}:root$`).test(name))
      );
    });
}

type Context = OracleRequest['context'] | undefined;

function holds(
  name: string,
  actual: readonly string[] | undefined,
  wanted: readonly string[],
  variables: Context,
): boolean {
  const [, quantifier = '', base = '', ifExists = ''] =
    /^(ForAllValues:|ForAnyValue:)?(.+?)(IfExists)?$/.exec(name) ?? [];
  const present = actual !== undefined && actual.length > 0;
  if (base === 'Null') return wanted.some((one) => (one === 'true') !== present);
  const not = /Not/.test(base);
  if (!present) {
    if (ifExists !== '' || quantifier === 'ForAllValues:') return true;
    return quantifier === '' && not;
  }
  const operator = base.replace('Not', '');
  const one = (value: string): boolean => wanted.some((want) => compares(operator, want, value, variables));
  if (quantifier === 'ForAllValues:') return actual.every((value) => one(value) !== not);
  if (quantifier === 'ForAnyValue:') return actual.some((value) => one(value) !== not);
  return actual.some(one) !== not;
}

function compares(operator: string, wanted: string, actual: string, variables: Context): boolean {
  switch (operator) {
    case 'StringEquals':
      return toRegExp(wanted, variables, false)?.test(actual) ?? false;
    case 'StringEqualsIgnoreCase':
      return toRegExp(wanted, variables, false, 'is')?.test(actual) ?? false;
    case 'StringLike':
      return toRegExp(wanted, variables, true)?.test(actual) ?? false;
    case 'ArnEquals':
    case 'ArnLike': {
      // A colon inside of a variable's braces is part of its name.
      const part = String.raw`((?:\$\{[^}]*\}|[^:])*)`;
      const split = new RegExp(`^${`${part}:`.repeat(5)}(.*)$`, 's');
      const [want, own] = [wanted, actual].map((arn) => split.exec(arn)?.slice(1));
      return (
        own !== undefined &&
        (want?.every((part, at) => toRegExp(part, variables, true)?.test(own[at] ?? '')) ?? false)
      );
    }
    case 'Bool':
      return wanted.toLowerCase() === actual.toLowerCase();
    case 'IpAddress':
      return isInRange(wanted, actual);
    default: {
      const [, kind, order] = /^(Numeric|Date)(.+)$/.exec(operator) ?? [];
      const read = (text: string): number =>
        kind === 'Numeric' ? Number(text) : /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
      const [want, own] = [read(wanted), read(actual)];
      if (Number.isNaN(want) || Number.isNaN(own)) return false;
      if (order === 'Equals') return own === want;
      if (order === 'LessThan') return own < want;
      if (order === 'LessThanEquals') return own <= want;
      return order === 'GreaterThan' ? own > want : own >= want;
    }
  }
}

/** Turns a pattern into a regular expression; undefined when a variable of it has no value. */
function toRegExp(pattern: string, variables: Context, wildcards: boolean, flags = 's'): RegExp | undefined {
  const quote = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  let missing = false;
  const source = pattern.replaceAll(
    /\$\{([^}]*)\}|[*?]|[^*?$]+|\$/g,
    (part: string, inner: string | undefined) => {
      if (part === '*' && wildcards) return '.*';
      if (part === '?' && wildcards) return '.';
      if (inner === undefined || variables === undefined) return quote(part);
      const [, key = '', fallback] = /^\s*([^,\s]+)\s*(?:,\s*'(.*)'\s*)?$/.exec(inner) ?? [];
      const values = variables[key.toLowerCase()] ?? [];
      const value = values.length === 1 ? values[0] : fallback;
      if (value === undefined) missing = true;
      return quote(value ?? '');
    },
  );
  return missing ? undefined : new RegExp(`^${source}$`, flags);
}

/** Addresses of version 4 only: the oracle draws no others. */
function isInRange(range: string, address: string): boolean {
  const [base = '', bits = '32'] = range.split('/');
  const read = (text: string): number | undefined =>
    /^\d+\.\d+\.\d+\.\d+$/.test(text)
      ? text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
      : undefined;
  const [from, at] = [read(base), read(address)];
  if (from === undefined || at === undefined) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(from / size) === Math.floor(at / size);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
