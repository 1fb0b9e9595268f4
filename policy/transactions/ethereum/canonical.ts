import { concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import type { Codec } from './codec.ts';
import { decodeRlp, encodeRlp } from './rlp.ts';

/**
 * Decodes a list behind a prefix, and encodes what was read again: what comes back is signed.
 *
 * @throws TransactionError TRANSACTION_NOT_CANONICAL where the fields encode to other bytes than those given, which
 *   finds leading zeros, lengths in a longer form and single bytes with a header; the errors of RLP and of the codec
 */
export function decodeCanonical<Value>(
  bytes: Uint8Array,
  prefix: Uint8Array,
  codec: Codec<Value>,
): { value: Value; encoded: Uint8Array } {
  const value = codec.read(decodeRlp(bytes.subarray(prefix.length)), 'transaction');
  const encoded = concatBytes(prefix, encodeRlp(codec.write(value)));
  const offset = findDifference(encoded, bytes);
  if (offset !== undefined) {
    throw new TransactionError(
      'TRANSACTION_NOT_CANONICAL',
      `the fields encode otherwise, from byte ${offset}`,
      {
        offset,
      },
    );
  }
  return { value, encoded };
}

/** Finds the first byte at which two byte strings differ, their lengths included. */
export function findDifference(one: Uint8Array, other: Uint8Array): number | undefined {
  const length = Math.max(one.length, other.length);
  for (let index = 0; index < length; index += 1) if (one[index] !== other[index]) return index;
  return undefined;
}
