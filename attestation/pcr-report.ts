import { bytesToHex } from '@noble/hashes/utils.js';
import { describePcr } from './pcr-difference.ts';
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
export function reportPcrs(actual: PcrValues, expected: PcrValues): PcrReport[] {
  const indexes = [...new Set([...actual.keys(), ...expected.keys()])].sort((left, right) => left - right);
  return indexes.map((index) => {
    const [found, wanted] = [hexOf(actual.get(index)), hexOf(expected.get(index))];
    return {
      index,
      meaning: describePcr(index),
      actual: found,
      expected: wanted,
      state: stateOf(index, actual, expected),
    };
  });
}

function stateOf(index: number, actual: PcrValues, expected: PcrValues): PcrReport['state'] {
  const [found, wanted] = [actual.get(index), expected.get(index)];
  if (wanted === undefined) return isUnusedPcr(found) ? 'unused' : 'set';
  if (isUnusedPcr(found) && isUnusedPcr(wanted) && index > 2) return 'unused';
  return hexOf(found) === hexOf(wanted) ? 'matches' : 'differs';
}

function hexOf(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : bytesToHex(value);
}
