import { getRandomValues } from 'node:crypto';
import type { Curves } from './curves.ts';
import { holdEd25519 } from './ed25519.ts';
import { KeyError } from './errors.ts';
import { type HeldKey, type SoleKeyType } from './held-key.ts';
import { holdP256 } from './p256.ts';
import { holdSecp256k1 } from './secp256k1.ts';
import { SECRET_BYTES } from './secret.ts';
import { parseSerialisedSecret } from './serialised-key.ts';

const HOLDERS: Readonly<Record<SoleKeyType, (curves: Curves, secret: Uint8Array) => HeldKey>> = {
  ed25519: (_curves, secret) => holdEd25519(secret),
  p256: holdP256,
  secp256k1: holdSecp256k1,
};

/** Draws in a row that may be out of range: for P-256 one of 2^32 is, for secp256k1 fewer. */
const MAX_DRAWS = 8;

/**
 * Makes a key from the kernel's randomness; boot has checked that the NSM feeds it. Draws again where the bytes are
 * no scalar of the curve, so that all scalars are equally likely (FIPS 186-5, A.2.2).
 */
export function generateKey(curves: Curves, type: SoleKeyType): HeldKey {
  const secret = new Uint8Array(SECRET_BYTES);
  try {
    for (let draws = 1; ; draws += 1) {
      getRandomValues(secret);
      try {
        return HOLDERS[type](curves, secret);
      } catch (error) {
        const isOutOfRange = error instanceof KeyError && error.code === 'KEY_MALFORMED';
        if (!isOutOfRange || draws === MAX_DRAWS) throw error;
      }
    }
  } finally {
    secret.fill(0);
  }
}

/**
 * Restores a key from its serialised form (`HeldKey.serialise`). The caller clears `bytes`.
 *
 * @throws KeyError KEY_MALFORMED for another type, version, length or a scalar out of range
 */
export function restoreKey(curves: Curves, type: SoleKeyType, bytes: Uint8Array): HeldKey {
  return HOLDERS[type](curves, parseSerialisedSecret(type, bytes));
}
