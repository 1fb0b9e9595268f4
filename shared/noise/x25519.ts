import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { NoiseError } from './errors.ts';

/** Length of public keys and shared secrets, DHLEN of Noise, in bytes. */
export const DH_BYTES = 32;

/** A key pair of X25519 (RFC 7748). */
export interface NoiseKeyPair {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** Generates a key pair from the entropy of the process. */
export function generateNoiseKeyPair(): NoiseKeyPair {
  return withPublicKey(generateKeyPairSync('x25519').privateKey);
}

/** Imports a private key of 32 bytes. */
export function importNoiseKeyPair(privateKey: Uint8Array): NoiseKeyPair {
  return withPublicKey(
    createPrivateKey({ key: Buffer.from(privateKey), format: 'raw-private', asymmetricKeyType: 'x25519' }),
  );
}

function withPublicKey(privateKey: KeyObject): NoiseKeyPair {
  return {
    publicKey: new Uint8Array(createPublicKey(privateKey).export({ format: 'raw-public' })),
    privateKey,
  };
}

/**
 * Computes the shared secret of two keys, 32 bytes. The result zero, of a public key of small order, is refused as
 * RFC 7748 (section 6.1) allows: such a key would make the secret known to everybody.
 *
 * @throws NoiseError NOISE_KEY_REFUSED
 */
export function agreeOnSecret({ privateKey }: NoiseKeyPair, publicKey: Uint8Array): Uint8Array {
  try {
    const other = createPublicKey({
      key: Buffer.from(publicKey),
      format: 'raw-public',
      asymmetricKeyType: 'x25519',
    });
    const secret = diffieHellman({ privateKey, publicKey: other });
    // OpenSSL refuses zero by itself; the check stands for a build that does not.
    if (secret.some((byte) => byte !== 0)) return secret;
  } catch (error) {
    throw new NoiseError('NOISE_KEY_REFUSED', 'expected an X25519 public key, found none', {}, error);
  }
  throw new NoiseError('NOISE_KEY_REFUSED', 'expected a shared secret, found zero');
}
