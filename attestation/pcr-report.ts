import { bytesToHex } from '@noble/hashes/utils.js';
import type { DocumentKind } from './document.ts';
import { describePcr, isDynamicPcr } from './pcr-meaning.ts';
import { isUnusedPcr, type PcrValues } from './pcr.ts';

/** One PCR of a document beside its expected value. */
export interface PcrReport {
  readonly index: number;
  /** What the PCR measures, in words. */
  readonly meaning: string;
  /** Value in lower-case hex, or null when the document does not have the PCR. */
  readonly actual: string | null;
  /** Expected value in lower-case hex, or null when none was given. */
  readonly expected: string | null;
  /** `unused`: zero or absent, as expected; `set`: neither, and no value was expected. */
  readonly state: 'matches' | 'differs' | 'unused' | 'set';
}

/**
 * Compares a document's PCRs with the expected ones for people to read: every PCR of either set, in ascending order. The
 * verdict on the document is `verifyAttestationDocument`'s.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { decodeDocumentFile, parsePcrFile, reportPcrs } from '@holdfast-nodes/holdfast/attestation';
 * import { unsafeParseAttestationDocument } from '@holdfast-nodes/holdfast/attestation';
 *
 * const { payload } = unsafeParseAttestationDocument(decodeDocumentFile(await readFile('document.hex')));
 * const [image] = reportPcrs(payload.pcrs, parsePcrFile(await readFile('pcr.json')));
 * console.log(image.meaning, image.state); // the whole image matches
 * ```
 */
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
  // A zero register of a TPM is a statement: nothing was measured, so for one no command line was overridden.
  const saysNothing = kind === 'nitrotpm' ? found === undefined : index > 2 && isUnusedPcr(found);
  if (saysNothing && isUnusedPcr(wanted)) return 'unused';
  return hexOf(found) === hexOf(wanted) ? 'matches' : 'differs';
}

/** Whether a value is what a PCR holds before any measurement: zeros, or all ones in a TPM's dynamic-launch PCRs. */
function isWithoutValue(index: number, value: Uint8Array | undefined, kind: DocumentKind): boolean {
  if (isUnusedPcr(value)) return true;
  return kind === 'nitrotpm' && isDynamicPcr(index) && value?.every((byte) => byte === 0xff) === true;
}

function hexOf(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : bytesToHex(value);
}
