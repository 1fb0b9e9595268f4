import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { InternalError } from '../../shared/errors.ts';
import { computeTapTweak } from '../../shared/tap-tweak.ts';

const { Fn, BASE } = secp256k1.Point;
const EVEN_Y = 2;

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
  if (Fn.is0(tweaked)) throw new InternalError('a tweak that nobody can find');
  return { secret: Fn.toBytes(tweaked), outputKey: schnorr.utils.pointToBytes(BASE.multiply(tweaked)) };
}
