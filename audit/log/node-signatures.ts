import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { createVerifierKey, type KeyType, type SigningKey, type VerifierKey } from './verifier-key.ts';

/** Length of a seed, of Ed25519 and of ML-DSA-44 alike. */
const SEED_BYTES = 32;
const algorithmOf = (type: KeyType) => (type === 'cosignature-ml-dsa-44' ? 'ml-dsa-44' : 'ed25519');

const imported = new WeakMap<VerifierKey, KeyObject>();

/** Verifies by Node's OpenSSL, which is many times faster than code for a browser; web-signatures.ts has that. */
export function verifyByNode(key: VerifierKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    let publicKey = imported.get(key);
    if (publicKey === undefined) {
      publicKey = createPublicKey({
        key: key.publicKey,
        format: 'raw-public',
        asymmetricKeyType: algorithmOf(key.type),
      });
      imported.set(key, publicKey);
    }
    return verify(null, message, publicKey, signature);
  } catch {
    // A public key that is no point of the curve verifies nothing.
    return false;
  }
}

/**
 * Creates the signing key of a seed.
 *
 * @param seed 32 bytes: RFC 8032's private key, or FIPS 204's xi
 */
export function signingKeyFromSeed(name: string, type: KeyType, seed: Uint8Array): SigningKey {
  if (seed.length !== SEED_BYTES) throw new RangeError('a seed of 32 bytes');
  const asymmetricKeyType = algorithmOf(type);
  const privateKey = createPrivateKey({
    key: seed,
    format: asymmetricKeyType === 'ed25519' ? 'raw-private' : 'raw-seed',
    asymmetricKeyType,
  });
  const publicKey = createPublicKey(privateKey).export({ format: 'raw-public' });
  return {
    key: createVerifierKey(name, type, Uint8Array.from(publicKey)),
    sign: (message) => sign(null, message, privateKey),
  };
}
