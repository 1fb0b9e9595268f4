import type { PoolKeyType } from '../../shared/algorithms.ts';
import { encodePublicKey } from '../../shared/public-keys.ts';

/** Describes a public key as a SubjectPublicKeyInfo in hex; null where there is none. */
export function describePublicKey(type: PoolKeyType, publicKey: Uint8Array | null): string | null {
  if (publicKey === null) return null;
  switch (type) {
    case 'ed25519':
    case 'p256':
    case 'p384':
    case 'secp256k1':
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return Buffer.from(encodePublicKey({ type, publicKey })).toString('hex');
    case 'aes-256':
    case 'hmac-224':
    case 'hmac-256':
    case 'hmac-384':
    case 'hmac-512':
    default:
      return null;
  }
}
