import type { Representative } from './callers.ts';
import type { Budget } from './budget.ts';
import { readDate, readNumber } from './comparison.ts';
import { isMultivalued, parseAttestationKey } from './condition-keys.ts';
import type { Condition } from './condition.ts';
import { foldsUnusualLetters, readGlob, sampleTexts, textGlob, globOf, type Glob } from './glob.ts';
import { sampleAddresses, sampleNumbers, sampleTimes } from './samples.ts';

/** Attestation of a request: none, an enclave's document, or one of a NitroTPM. */
export type Attestation = 'none' | 'enclave' | 'nitrotpm';

/** An unknown value, which may make any comparison true or false. */
export const ANY_VALUE = null;
export type Value = string | null;

/**
 * The values that one key of a request can have, one of each kind that the policies' conditions on that key can tell
 * apart. Whatever a request carries there, one of them makes the same conditions true.
 */
export interface KeySpace {
  readonly values: readonly Value[];
  /** Whether a request can leave the key out. */
  readonly absent: boolean;
  /** Whether a request can have several of the values at once. */
  readonly many: boolean;
}

/** A condition, and whether its policy fills in variables (version 2012-10-17). */
export interface Asked {
  readonly condition: Condition;
  readonly variables: boolean;
}

export interface SpaceOptions {
  readonly who: Representative;
  readonly attestation: Attestation;
  /** Values to tell apart beside those that the policies name. */
  readonly also: readonly string[];
  /** Milliseconds since 1970; the time of a request is not before it. */
  readonly now: number;
  readonly budget: Budget;
}

export const ZERO_PCR = '0'.repeat(96);
const LAST_FIXED_PCR = 15;
const HEX = '123456789abcdef0';

/**
 * The space of a key, from every condition on it.
 * @param key by {@link variableOf}
 * @throws KeyPolicyError POLICY_TOO_COMPLEX
 */
export function openKeySpace(key: string, asked: readonly Asked[], options: SpaceOptions): KeySpace {
  const { who, attestation } = options;
  const fixed = who.fixed.get(key);
  if (fixed !== undefined) return { values: fixed, absent: fixed.length === 0, many: fixed.length > 1 };
  const pcr = parseAttestationKey(key);
  if (pcr !== undefined || key.startsWith('kms:recipientattestation:')) {
    if (pcr === undefined || pcr.platform !== attestation) return NEVER;
    const absent = pcr.platform === 'enclave' && pcr.pcr > LAST_FIXED_PCR;
    return { values: samplePcrs(asked, options), absent, many: false };
  }
  if (key === 'aws:currenttime' || key === 'aws:epochtime') {
    const { values } = sampleTimes(readAll(asked, readDate), options.now);
    return { values: isOnly(asked, 'Date') ? values : [...values, ANY_VALUE], absent: false, many: false };
  }
  const within = who.within?.get(key);
  const values = sampleValues(asked, { ...options, within, without: who.without?.get(key) ?? [] });
  const absent = within === undefined || who.caller.type === 'unnamed';
  return { values, absent, many: within === undefined && isMultivalued(key) };
}

const NEVER: KeySpace = { values: [], absent: true, many: false };

/** Names the variable of a condition key: lower case, and PCR0 for ImageSha384, which is the same value. */
export function variableOf(key: string): string {
  const lower = key.toLowerCase();
  return lower === 'kms:recipientattestation:imagesha384' ? 'kms:recipientattestation:pcr0' : lower;
}

type Kind = 'Text' | 'Numeric' | 'Date' | 'IpAddress';

function kindOf({ condition: { operator } }: Asked): Kind | undefined {
  const { comparison } = operator;
  if (comparison === 'Null') return undefined;
  if (comparison === 'IpAddress') return comparison;
  if (comparison.startsWith('Numeric')) return 'Numeric';
  return comparison.startsWith('Date') ? 'Date' : 'Text';
}

function isOnly(asked: readonly Asked[], kind: Kind): boolean {
  return asked.every((one) => [kind, undefined].includes(kindOf(one)));
}

/** Samples values of a key; one that is compared in two ways, such as text and number, may also be unknown. */
function sampleValues(
  asked: readonly Asked[],
  options: SpaceOptions & { readonly within: Glob | undefined; readonly without: readonly Glob[] },
): Value[] {
  const kinds = new Set(asked.flatMap((one) => kindOf(one) ?? []));
  const { values: times, whole } = sampleTimes(kinds.has('Date') ? readAll(asked, readDate) : [], -Infinity);
  const samples: Value[] = [
    ...(kinds.has('IpAddress') ? sampleAddresses(asked.flatMap(({ condition }) => condition.values)) : []),
    ...(kinds.has('Numeric') ? sampleNumbers(readAll(asked, readNumber)) : []),
    ...(kinds.has('Date') ? times : []),
  ];
  const { globs, unusual } = readGlobs(asked, options);
  const { within, without, budget } = options;
  const texts = sampleTexts(globs, { ...(within === undefined ? {} : { within }), without, budget });
  const huge = kinds.has('Numeric') && readAll(asked, readNumber).some((number) => Math.abs(number) > 1e15);
  const open = unusual || huge || kinds.size > 1 || (kinds.has('Date') && !whole);
  // The texts are no number, time or address, so that those comparisons fail for them.
  return [...samples, ...texts, ...(open ? [ANY_VALUE] : [])];
}

function readGlobs(
  asked: readonly Asked[],
  { who, also }: SpaceOptions,
): { readonly globs: Glob[]; readonly unusual: boolean } {
  const globs = asked
    .filter((one) => kindOf(one) === 'Text')
    .flatMap(({ condition: { operator, values }, variables }) =>
      values.flatMap(
        (value) => readGlob(operator.comparison, value, { context: who.fixed, variables }) ?? [],
      ),
    );
  return {
    globs: [...globs, ...also.map((text) => textGlob(text, true))],
    unusual: globs.some(foldsUnusualLetters),
  };
}

function readAll<T>(asked: readonly Asked[], read: (text: string) => T | undefined): T[] {
  return asked.flatMap(({ condition }) => condition.values.flatMap((value) => read(value) ?? []));
}

/** Samples PCR values: KMS compares lower-case hex of 48 bytes, so other values of a policy never occur. */
function samplePcrs(asked: readonly Asked[], options: SpaceOptions): Value[] {
  const { also, budget } = options;
  const named = [...asked.flatMap(({ condition }) => condition.values), ...also, ZERO_PCR];
  const exact = new Set(
    named.map((value) => value.toLowerCase()).filter((value) => /^[0-9a-f]{96}$/.test(value)),
  );
  const { globs } = readGlobs(asked, options);
  const open = globs.filter(({ units }) => units.some(({ is }) => is !== 'character'));
  const others =
    open.length === 0
      ? [freshPcr(exact)]
      : sampleTexts(open, {
          within: globOf('?'.repeat(96)),
          without: [...exact].map((value) => textGlob(value)),
          alphabet: HEX,
          budget,
        });
  return [...exact, ...others, ...(isOnly(asked, 'Text') ? [] : [ANY_VALUE])];
}

/** Makes a measurement that is none of the named ones. */
function freshPcr(named: ReadonlySet<string>): string {
  for (let number = 1; ; number += 1) {
    const value = number.toString(16).padStart(2, '0').repeat(96).slice(0, 96);
    if (!named.has(value)) return value;
  }
}
