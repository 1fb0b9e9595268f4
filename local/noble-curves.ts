import { p256 } from '@noble/curves/nist.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import type { Curves } from '../enclave/keys/index.ts';
import { createNativeCurves } from '../enclave/keys/index.ts';
import { holdDigestKeyInJavaScript } from './digest-key.ts';
import { InternalError } from '../shared/errors.ts';
import { loadNative } from '../shared/native/addon.ts';
import { computeTapTweak } from '../shared/tap-tweak.ts';
import { TransportError } from '../shared/transport/errors.ts';

const { Fn, BASE } = secp256k1.Point;
const EVEN_Y = 2;

/**
 * Curves in JavaScript, for a machine without a C compiler: slower, not constant time, and with copies of the secret in
 * BigInts that nobody can clear. No image contains this file.
 */
export function createNobleCurves(): Curves {
  return {
    holdP256(bytes) {
      if (!p256.utils.isValidSecretKey(bytes)) return undefined;
      const secret = new Uint8Array(bytes);
      return {
        ...shareSecret(secret, p256.getPublicKey(secret, true)),
        signEcdsa: (digest) => p256.sign(digest, secret, { prehash: false, lowS: true }),
      };
    },
    holdSecp256k1(bytes) {
      if (!secp256k1.utils.isValidSecretKey(bytes)) return undefined;
      const secret = new Uint8Array(bytes);
      const publicKey = secp256k1.getPublicKey(secret, true);
      return {
        ...shareSecret(secret, publicKey),
        signEcdsa(digest) {
          const recovered = secp256k1.sign(digest, secret, {
            prehash: false,
            lowS: true,
            format: 'recovered',
          });
          const recovery = recovered[0];
          if (recovery !== 0 && recovery !== 1)
            throw new InternalError('expected a recovery number of 0 or 1');
          return { signature: recovered.subarray(1), recovery };
        },
        signBip340: (digest, auxiliary) => ({
          signature: schnorr.sign(digest, secret, auxiliary),
          publicKey: publicKey.subarray(1),
        }),
        signTaproot(digest, auxiliary, merkleRoot) {
          const tweaked = tweakForTaproot(secret, publicKey, merkleRoot);
          try {
            return {
              signature: schnorr.sign(digest, tweaked.secret, auxiliary),
              publicKey: tweaked.outputKey,
            };
          } finally {
            tweaked.secret.fill(0);
          }
        },
      };
    },
    holdDigestKey: holdDigestKeyInJavaScript,
  };
}

/** Opens the curves of local mode: the addon's, or noble's where the addon was not built. */
export function openLocalCurves(): Curves {
  try {
    return createNativeCurves(loadNative());
  } catch (error) {
    if (error instanceof TransportError && error.code === 'TRANSPORT_UNAVAILABLE') return createNobleCurves();
    throw error;
  }
}

function shareSecret(secret: Uint8Array, publicKey: Uint8Array) {
  return {
    publicKey,
    copySecret: (target: Uint8Array) => target.set(secret),
    clear: () => void secret.fill(0),
  };
}

/** Tweaks a key to the key-path key of a taproot output (BIP-341, "Constructing and spending Taproot outputs"). */
function tweakForTaproot(secret: Uint8Array, publicKey: Uint8Array, merkleRoot: Uint8Array) {
  const scalar = Fn.fromBytes(secret);
  const even = publicKey[0] === EVEN_Y ? scalar : Fn.neg(scalar);
  const tweaked = Fn.add(even, computeTapTweak(publicKey.subarray(1), merkleRoot));
  if (Fn.is0(tweaked)) throw new InternalError('expected a tweaked key other than zero');
  return { secret: Fn.toBytes(tweaked), outputKey: schnorr.utils.pointToBytes(BASE.multiply(tweaked)) };
}
