import { getRandomValues } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { holdEd25519 } from './ed25519.ts';
import { type HeldKey, type SoleKeyType } from './held-key.ts';
import { holdP256 } from './p256.ts';
import { holdSecp256k1 } from './secp256k1.ts';
import { SECRET_BYTES } from './secret.ts';
import { parseSerialisedSecret } from './serialised-key.ts';

const HOLDERS: Readonly<Record<SoleKeyType, (secret: Uint8Array) => HeldKey>> = {
  ed25519: holdEd25519,
  p256: holdP256,
  secp256k1: holdSecp256k1,
};

/** 48 bytes make a scalar whose bias nobody can measure (FIPS 186-5, A.4.1). */
const SCALAR_SEED_BYTES = 48;

function makeSecret(type: SoleKeyType): Uint8Array {
  if (type === 'ed25519') return getRandomValues(new Uint8Array(SECRET_BYTES));
  const seed = getRandomValues(new Uint8Array(SCALAR_SEED_BYTES));
  try {
    return type === 'p256' ? p256.utils.randomSecretKey(seed) : secp256k1.utils.randomSecretKey(seed);
  } finally {
    seed.fill(0);
  }
}

/** Makes a key from the kernel's randomness; boot has made sure that the NSM feeds it (P40). */
export function generateKey(type: SoleKeyType): HeldKey {
  const secret = makeSecret(type);
  try {
    return HOLDERS[type](secret);
  } finally {
    secret.fill(0);
  }
}

/**
 * The key of which `bytes` are the serialised form (`HeldKey.serialise`). The caller clears `bytes`.
 *
 * @throws KeyError KEY_MALFORMED for another type, version, length or a scalar out of range
 */
export function restoreKey(type: SoleKeyType, bytes: Uint8Array): HeldKey {
  return HOLDERS[type](parseSerialisedSecret(type, bytes));
}
