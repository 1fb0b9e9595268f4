import { bytesToHex } from '@noble/hashes/utils.js';
import type { DocumentKind } from './document.ts';
import { describePcr, isDynamicPcr } from './pcr-meaning.ts';
import { isUnusedPcr, type PcrValues } from './pcr.ts';

/** How one PCR of a document stands to what was expected of it. */
export interface PcrReport {
  readonly index: number;
  /** What it measures, in words. */
  readonly meaning: string;
  /** In hex, or null when the document does not have it. */
  readonly actual: string | null;
  readonly expected: string | null;
  /** `unused` is zero or absent; `set` is neither, and nobody expected anything of it. */
  readonly state: 'matches' | 'differs' | 'unused' | 'set';
}

/** Every PCR that the document has or the expectation names, in ascending order. */
export function reportPcrs(
  actual: PcrValues,
  expected: PcrValues,
  kind: DocumentKind = 'enclave',
): PcrReport[] {
  const indexes = [...new Set([...actual.keys(), ...expected.keys()])].sort((left, right) => left - right);
  return indexes.map((index) => {
    const [found, wanted] = [hexOf(actual.get(index)), hexOf(expected.get(index))];
    return {
      index,
      meaning: describePcr(index, kind),
      actual: found,
      expected: wanted,
      state: stateOf(index, actual, expected, kind),
    };
  });
}

function stateOf(
  index: number,
  actual: PcrValues,
  expected: PcrValues,
  kind: DocumentKind,
): PcrReport['state'] {
  const [found, wanted] = [actual.get(index), expected.get(index)];
  if (wanted === undefined) return isWithoutValue(index, found, kind) ? 'unused' : 'set';
  // That nothing was measured into a TPM's register says something: no override of the command line, for one.
  const saysNothing = kind === 'nitrotpm' ? found === undefined : index > 2 && isUnusedPcr(found);
  if (saysNothing && isUnusedPcr(wanted)) return 'unused';
  return hexOf(found) === hexOf(wanted) ? 'matches' : 'differs';
}

/** A TPM has all ones where it could have had a dynamic launch. */
function isWithoutValue(index: number, value: Uint8Array | undefined, kind: DocumentKind): boolean {
  if (isUnusedPcr(value)) return true;
  return kind === 'nitrotpm' && isDynamicPcr(index) && value?.every((byte) => byte === 0xff) === true;
}

function hexOf(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : bytesToHex(value);
}
