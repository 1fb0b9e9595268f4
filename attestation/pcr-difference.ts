import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes } from './bytes.ts';
import type { DocumentKind } from './document.ts';
import { MANIFEST_PCR } from './measurement.ts';
import { describePcr } from './pcr-meaning.ts';
import type { PcrValues } from './pcr.ts';

/** A PCR that two sets do not agree on; hex, or null where the set does not have it. */
export interface PcrDifference {
  readonly index: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** The PCRs that differ, in ascending order. */
export function comparePcrs(before: PcrValues, after: PcrValues): PcrDifference[] {
  const indexes = [...new Set([...before.keys(), ...after.keys()])].sort((left, right) => left - right);
  return indexes.flatMap((index) => {
    const [left, right] = [before.get(index), after.get(index)];
    if (left !== undefined && right !== undefined && equalBytes(left, right)) return [];
    return [{ index, before: left ? bytesToHex(left) : null, after: right ? bytesToHex(right) : null }];
  });
}

/**
 * What the differences mean for who decides whether the new image may decrypt: one sentence a finding, empty when
 * nothing differs.
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
