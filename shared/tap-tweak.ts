import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { InternalError } from './errors.ts';

/**
 * Computes the tweak of BIP-341 as a scalar: the tagged hash of an internal key and of the root of its script tree.
 *
 * @param internalKey x-only
 * @param merkleRoot 32 bytes, or none where there is no script tree (BIP-86)
 */
export function computeTapTweak(internalKey: Uint8Array, merkleRoot: Uint8Array): bigint {
  const hash = schnorr.utils.taggedHash('TapTweak', internalKey, merkleRoot);
  const tweak = BigInt(`0x${bytesToHex(hash)}`);
  if (tweak >= secp256k1.Point.Fn.ORDER)
    throw new InternalError('expected a hash below the order of secp256k1');
  return tweak;
}
