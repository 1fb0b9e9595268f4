import { parseIpRange, parseIpAddress } from './ip-address.ts';
import type { Comparison } from './operator.ts';
import { compilePattern, matchTokens, type RequestContext } from './pattern.ts';

export interface ComparisonScope {
  readonly context: RequestContext;
  readonly variables: boolean;
  /** Value of a variable whose key the context does not have: see {@link PatternOptions}. */
  readonly unknown?: 'absent' | 'any' | 'none';
}

/**
 * Compares one value of the policy with one value of the request. Whatever cannot be read as the operator's type
 * does not match.
 */
export function matchValue(
  comparison: Comparison,
  wanted: string,
  actual: string,
  scope: ComparisonScope,
): boolean {
  switch (comparison) {
    case 'StringEquals':
      return matchText(wanted, actual, scope, false);
    case 'StringEqualsIgnoreCase':
      return matchText(wanted.toLowerCase(), actual.toLowerCase(), lowerCased(scope), false);
    case 'StringLike':
      return matchText(wanted, actual, scope, true);
    case 'ArnLike':
      return matchArn(wanted, actual, scope);
    case 'Bool':
      return wanted.toLowerCase() === actual.toLowerCase();
    case 'BinaryEquals':
      return wanted === actual;
    case 'IpAddress':
      return matchIp(wanted, actual);
    case 'NumericEquals':
    case 'NumericLessThan':
    case 'NumericLessThanEquals':
    case 'NumericGreaterThan':
    case 'NumericGreaterThanEquals':
      return matchOrder(comparison.slice('Numeric'.length), readNumber(wanted), readNumber(actual));
    case 'DateEquals':
    case 'DateLessThan':
    case 'DateLessThanEquals':
    case 'DateGreaterThan':
    case 'DateGreaterThanEquals':
      return matchOrder(comparison.slice('Date'.length), readDate(wanted), readDate(actual));
    case 'Null':
    default:
      // Null asks for the key, not for its values: see condition.ts.
      return false;
  }
}

const SECONDS = /^[0-9]{9,11}$/;

/**
 * Whether a value of the policy has one reading as the operator's type. What AWS makes of any other is not known:
 * `1e9` may be a number, `20991231` a day or seconds since 1970, `0/0` every address.
 */
export function hasOneReading(comparison: Comparison, wanted: string, variables: boolean): boolean {
  if (comparison.startsWith('String')) return true;
  if (comparison === 'ArnLike') return splitArn(wanted, variables) !== undefined;
  if (comparison === 'IpAddress') return parseIpRange(wanted) !== undefined;
  if (comparison === 'BinaryEquals') return false;
  if (comparison.startsWith('Numeric')) return readNumber(wanted) !== undefined;
  if (!comparison.startsWith('Date')) return /^(?:true|false)$/i.test(wanted);
  return readDate(wanted) !== undefined && (SECONDS.test(wanted) || ISO_DATE.test(wanted));
}

function matchText(wanted: string, actual: string, scope: ComparisonScope, wildcards: boolean): boolean {
  const tokens = compilePattern(wanted, scope.context, { ...scope, wildcards });
  return tokens !== undefined && matchTokens(tokens, actual);
}

/** The values that variables stand for compare without case as well. */
function lowerCased(scope: ComparisonScope): ComparisonScope {
  if (!scope.variables) return scope;
  const context = new Map(
    [...scope.context].map(([key, values]) => [key, values.map((value) => value.toLowerCase())] as const),
  );
  return { ...scope, context };
}

const ARN_PARTS = 6;

/** Each of the six components is compared on its own: a wildcard does not reach over a colon. */
function matchArn(wanted: string, actual: string, scope: ComparisonScope): boolean {
  const wantedParts = splitArn(wanted, scope.variables);
  const actualParts = splitArn(actual, false);
  if (wantedParts === undefined || actualParts === undefined) return false;
  return wantedParts.every((part, index) => matchText(part, actualParts[index] ?? '', scope, true));
}

/** Splits at colons, in a pattern at those outside of `${…}`; the last component keeps its own colons. */
export function splitArn(arn: string, variables: boolean): string[] | undefined {
  const parts = [''];
  let braces = 0;
  for (const character of arn) {
    if (variables && character === '{') braces += 1;
    if (variables && character === '}') braces -= 1;
    if (character === ':' && braces <= 0 && parts.length < ARN_PARTS) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.length === ARN_PARTS && parts[0] === 'arn' ? parts : undefined;
}

function matchIp(wanted: string, actual: string): boolean {
  const range = parseIpRange(wanted);
  const address = parseIpAddress(actual);
  if (range === undefined || address === undefined || range.bits !== address.bits) return false;
  const shift = BigInt(range.bits - range.prefix);
  return range.value >> shift === address.value >> shift;
}

function matchOrder(order: string, wanted: number | undefined, actual: number | undefined): boolean {
  if (wanted === undefined || actual === undefined) return false;
  switch (order) {
    case 'Equals':
      return actual === wanted;
    case 'LessThan':
      return actual < wanted;
    case 'LessThanEquals':
      return actual <= wanted;
    case 'GreaterThan':
      return actual > wanted;
    default:
      return actual >= wanted;
  }
}

/** A decimal number; undefined for other text. */
export function readNumber(text: string): number | undefined {
  return /^[+-]?[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : undefined;
}

const ISO_DATE =
  /^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?$/;

/** Milliseconds since 1970 of an ISO 8601 date, UTC unless it says otherwise, or of seconds since 1970. */
export function readDate(text: string): number | undefined {
  if (/^[0-9]{5,}$/.test(text)) return Number(text) * 1000;
  if (!ISO_DATE.test(text)) return undefined;
  const zoned = text.includes('T') && !/(?:Z|[+-][0-9]{2}:?[0-9]{2})$/.test(text) ? `${text}Z` : text;
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? undefined : time;
}
