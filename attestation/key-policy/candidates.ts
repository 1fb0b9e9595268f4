import type { Condition } from './condition.ts';
import { isMultivalued, parseAttestationKey } from './condition-keys.ts';
import type { RequestContext } from './pattern.ts';

/** How a request is attested: not at all, by an enclave's document, or by one of a NitroTPM. */
export type Attestation = 'none' | 'enclave' | 'nitrotpm';

/** The values that one key of a request can have; an empty list is a key that is not there. */
export type Candidates = readonly (readonly string[])[];

/** A measurement that no policy names. */
export const UNKNOWN_PCR = '5ca1ab1e'.repeat(12);
export const ZERO_PCR = '0'.repeat(96);
/** A value that no policy names. */
export const UNKNOWN_VALUE = 'some-other-value';
const ABSENT: readonly string[] = [];
const LAST_FIXED_PCR = 15;

/**
 * For every key that the conditions look at, enough values to tell each of their answers apart: those that they name
 * and their neighbours, one that nobody names, and none at all where a request can leave the key out.
 * `now` is in milliseconds since 1970; times before it are not offered.
 */
export function collectCandidates(
  conditions: readonly Condition[],
  options: { readonly attestation: Attestation; readonly fixed: RequestContext; readonly now: number },
): Map<string, Candidates> {
  const byKey = Map.groupBy(conditions, ({ key }) => variableOf(key));
  return new Map([...byKey].map(([key, asking]) => [key, candidatesOf(key, asking, options)]));
}

/** ImageSha384 and PCR0 are one value under two names. */
export function variableOf(key: string): string {
  const lower = key.toLowerCase();
  return lower === 'kms:recipientattestation:imagesha384' ? 'kms:recipientattestation:pcr0' : lower;
}

function candidatesOf(
  key: string,
  conditions: readonly Condition[],
  { attestation, fixed, now }: { attestation: Attestation; fixed: RequestContext; now: number },
): Candidates {
  const given = fixed.get(key);
  if (given !== undefined) return [given];
  const pcr = parseAttestationKey(key);
  if (pcr !== undefined) {
    if (pcr.platform !== attestation) return [ABSENT];
    const measured = pcrValues(conditions).map((value) => [value]);
    return pcr.platform === 'enclave' && pcr.pcr > LAST_FIXED_PCR ? [...measured, ABSENT] : measured;
  }
  if (key.startsWith('kms:recipientattestation:')) return [ABSENT];
  if (key === 'aws:currenttime' || key === 'aws:epochtime') return timeValues(key, conditions, now);
  const values = [...new Set(conditions.flatMap(plainValues)), UNKNOWN_VALUE];
  if (!isMultivalued(key)) return [ABSENT, ...values.map((value) => [value])];
  return [ABSENT, ...subsetsOf(values)];
}

const MAX_SUBSETS_OF = 6;

/** Every choice of some of the values, or with many of them each, all, and all but the last. */
function subsetsOf(values: readonly string[]): string[][] {
  if (values.length > MAX_SUBSETS_OF) {
    return [...values.map((value) => [value]), values.slice(0, -1), values.slice()];
  }
  return Array.from({ length: 2 ** values.length - 1 }, (_, at) =>
    values.filter((_value, bit) => ((at + 1) >> bit) & 1),
  );
}

/** Documents carry lower-case hex of 48 bytes: what a policy has beside that never comes. */
function pcrValues(conditions: readonly Condition[]): string[] {
  const values = conditions.flatMap(({ values: listed }) =>
    listed.map((value) => (/[*?]/.test(value) ? completePcr(value) : value).toLowerCase()),
  );
  const possible = values.filter((value) => /^[0-9a-f]{96}$/.test(value));
  return [...new Set([...possible, ZERO_PCR, UNKNOWN_PCR])];
}

/** An instance of a pattern that is as long as a measurement. */
function completePcr(pattern: string): string {
  const [head = '', ...rest] = pattern.replaceAll('?', '5').split('*');
  const tail = rest.join('');
  return head + '5'.repeat(Math.max(0, rest.length === 0 ? 0 : 96 - head.length - tail.length)) + tail;
}

function plainValues({ operator, values }: Condition): string[] {
  switch (operator.comparison) {
    case 'Null':
      return [];
    case 'Bool':
      return ['true', 'false'];
    case 'NumericEquals':
    case 'NumericLessThan':
    case 'NumericLessThanEquals':
    case 'NumericGreaterThan':
    case 'NumericGreaterThanEquals':
      return values.flatMap((value) => [-1, 0, 1].map((step) => String(Number(value) + step)));
    case 'IpAddress':
      // 192.0.2.0/24 and 2001:db8::/32 are for documentation: nobody's policy means them.
      return [...values.map((value) => value.replace(/\/.*$/, '')), '192.0.2.1', '2001:db8::1'];
    case 'StringLike':
    case 'ArnLike':
      return values.map((value) => value.replaceAll(/\$\{([*?$])\}/g, '$1').replaceAll(/[*?]/g, 'x'));
    case 'StringEqualsIgnoreCase':
    case 'StringEquals':
    case 'BinaryEquals':
    case 'DateEquals':
    case 'DateLessThan':
    case 'DateLessThanEquals':
    case 'DateGreaterThan':
    case 'DateGreaterThanEquals':
    default:
      return values.slice();
  }
}

function timeValues(key: string, conditions: readonly Condition[], now: number): Candidates {
  const named = conditions.flatMap(({ values }) =>
    values.map((value) => (/^[0-9]+$/.test(value) ? Number(value) * 1000 : Date.parse(value))),
  );
  const around = named
    .filter((time) => !Number.isNaN(time))
    .flatMap((time) => [time - 1000, time, time + 1000]);
  const times = [...new Set([now, ...around.filter((time) => time > now)])].sort((a, b) => a - b);
  return times.map((time) => [
    key === 'aws:currenttime' ? new Date(time).toISOString() : String(Math.floor(time / 1000)),
  ]);
}
