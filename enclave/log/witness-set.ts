import {
  collectCosignatures,
  LogError,
  parseSignatureLines,
  parseVerifierKey,
  type VerifierKey,
  WITNESS_KEY_TYPES,
} from '../../audit/log/index.ts';
import { verifyByNode } from '../../audit/log/node-signatures.ts';

/** Pinned witnesses. Two names of one public key are one witness: an Ed25519 cosignature does not cover the name. */
export class WitnessSet {
  readonly threshold: number;
  /** Number of distinct public keys. */
  readonly size: number;
  readonly #keys: readonly VerifierKey[];

  /** @throws LogError VERIFIER_KEY_MALFORMED for a key that is no cosigner's; RangeError for a threshold out of range */
  constructor({ threshold, keys }: { readonly threshold: number; readonly keys: readonly string[] }) {
    this.#keys = keys.map((key) => parseVerifierKey(key, WITNESS_KEY_TYPES));
    this.threshold = threshold;
    this.size = new Set(this.#keys.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'))).size;
    if (!Number.isSafeInteger(threshold) || threshold < 1 || threshold > this.size) {
      throw new RangeError('expected a threshold from 1 to the number of distinct witnesses');
    }
  }

  /**
   * Finds the valid cosignatures of pinned witnesses over a checkpoint's text, one for each public key. The text is the
   * node's own: whatever the parent sent beside the lines is not looked at.
   */
  verify(text: string, lines: readonly string[]): readonly string[] {
    const signatures = lines.flatMap((line) => {
      try {
        return parseSignatureLines(line);
      } catch (error) {
        if (error instanceof LogError) return [];
        throw error;
      }
    });
    return collectCosignatures(text, signatures, this.#keys, verifyByNode).cosignatures.map(
      ({ line }) => line,
    );
  }
}
