import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { KeyError } from './errors.ts';

const { Fn, BASE } = secp256k1.Point;
const EVEN_Y = 2;

/** The tweak of BIP-341: the tagged hash of the x-only internal key and the merkle root, as a scalar. */
export function computeTapTweak(internalKey: Uint8Array, merkleRoot: Uint8Array): bigint {
  const hash = schnorr.utils.taggedHash('TapTweak', internalKey, merkleRoot);
  const tweak = BigInt(`0x${Buffer.from(hash).toString('hex')}`);
  // Nobody can find such a hash, and BIP-341 says to fail.
  if (tweak >= Fn.ORDER) throw new KeyError('PAYLOAD_MISMATCH', 'the tweak is not a scalar');
  return tweak;
}

/** The key-path key of a taproot output. The caller clears `secret`. */
export interface TaprootKey {
  readonly secret: Uint8Array;
  /** x-only, as it stands in the output's script. */
  readonly outputKey: Uint8Array;
}

/**
 * Tweaks an internal key by BIP-341 ("Constructing and spending Taproot outputs"): the secret of the point with the
 * even y, plus the tweak.
 *
 * @param publicKey compressed SEC1, of `secret`
 * @param merkleRoot 32 bytes, or none where there is no script tree (BIP-86)
 */
export function tweakForTaproot(
  secret: Uint8Array,
  publicKey: Uint8Array,
  merkleRoot: Uint8Array,
): TaprootKey {
  const scalar = Fn.fromBytes(secret);
  const even = publicKey[0] === EVEN_Y ? scalar : Fn.neg(scalar);
  const tweaked = Fn.add(even, computeTapTweak(publicKey.subarray(1), merkleRoot));
  if (Fn.is0(tweaked)) throw new KeyError('PAYLOAD_MISMATCH', 'the tweak cancels the key');
  return { secret: Fn.toBytes(tweaked), outputKey: schnorr.utils.pointToBytes(BASE.multiply(tweaked)) };
}
