import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import type { DocumentKind } from './document.ts';
import { MANIFEST_PCR } from './measurement.ts';
import { describePcr } from './pcr-meaning.ts';
import type { PcrValues } from './pcr.ts';

/** A PCR on which two sets differ: the value in each in lower-case hex, or null where a set does not have the PCR. */
export interface PcrDifference {
  readonly index: number;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * Compares two sets of PCRs: the PCRs that differ, in ascending order, none when the sets are equal.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { comparePcrs, explainDifferences, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const running = parsePcrFile(await readFile('pcr.json'));
 * const proposed = parsePcrFile(await readFile('next.pcr.json'));
 * for (const sentence of explainDifferences(comparePcrs(running, proposed))) {
 *   console.log(sentence); // The application changed (PCR2).
 * }
 * ```
 */
export function comparePcrs(before: PcrValues, after: PcrValues): PcrDifference[] {
  const indexes = [...new Set([...before.keys(), ...after.keys()])].sort((left, right) => left - right);
  return indexes.flatMap((index) => {
    const [left, right] = [before.get(index), after.get(index)];
    if (left !== undefined && right !== undefined && equalBytes(left, right)) return [];
    return [{ index, before: left ? bytesToHex(left) : null, after: right ? bytesToHex(right) : null }];
  });
}

/**
 * Explains differences of PCRs to a person who decides whether the new image may decrypt: one English sentence a finding,
 * none when nothing differs. Differences that no pair of images can have are findings too.
 *
 * @param kind platform of the PCRs, which have other meanings on each. Default: `enclave`
 *
 * Source: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements".
 */
export function explainDifferences(
  differences: readonly PcrDifference[],
  kind: DocumentKind = 'enclave',
): string[] {
  if (kind === 'nitrotpm')
    return differences.map((one) => describeDifference(describePcr(one.index, kind), one));
  const changed = new Map(differences.map((difference) => [difference.index, difference]));
  const sentences: string[] = [];
  const say = (index: number, subject: string): void => {
    const difference = changed.get(index);
    if (difference === undefined) return;
    sentences.push(describeDifference(subject, difference));
  };
  say(1, 'kernel, its command line or the boot ramdisk');
  say(2, 'application');
  say(8, 'signing certificate');
  say(MANIFEST_PCR, 'manifest');
  say(3, 'IAM role of the parent instance');
  say(4, 'parent instance');
  if (changed.has(0) && !changed.has(1) && !changed.has(2)) {
    sentences.push(
      'The image as a whole (PCR0) changed, and neither of its parts did (PCR1, PCR2): that cannot be.',
    );
  }
  if (!changed.has(0) && (changed.has(1) || changed.has(2))) {
    sentences.push('A part of the image changed, and the image as a whole (PCR0) did not: that cannot be.');
  }
  for (const { index } of differences) {
    if (![0, 1, 2, 3, 4, 8, MANIFEST_PCR].includes(index)) say(index, describePcr(index));
  }
  return sentences;
}

function describeDifference(subject: string, difference: PcrDifference): string {
  return `The ${subject} ${verb(difference)} (PCR${difference.index}).`;
}

function verb({ before, after }: PcrDifference): string {
  if (before === null) return 'is named now and was not before';
  return after === null ? 'is no longer named' : 'changed';
}
