import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** Kinds of keys that the stand-in has, by AWS's names; the signing ones with what they sign with. */
export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: { usage: 'ENCRYPT_DECRYPT' },
  ECC_NIST_P256: {
    usage: 'SIGN_VERIFY',
    curve: 'P-256',
    algorithm: 'ECDSA_SHA_256',
    hash: 'sha256',
    digestBytes: 32,
  },
  ECC_NIST_P384: {
    usage: 'SIGN_VERIFY',
    curve: 'P-384',
    algorithm: 'ECDSA_SHA_384',
    hash: 'sha384',
    digestBytes: 48,
  },
  ECC_NIST_P521: {
    usage: 'SIGN_VERIFY',
    curve: 'P-521',
    algorithm: 'ECDSA_SHA_512',
    hash: 'sha512',
    digestBytes: 64,
  },
} as const;

export type KeySpec = keyof typeof KEY_SPECS;
export type SigningSpec = Extract<(typeof KEY_SPECS)[KeySpec], { usage: 'SIGN_VERIFY' }>;

export function isKeySpec(name: string): name is KeySpec {
  return Object.hasOwn(KEY_SPECS, name);
}

/** AES-256, or a private key as PKCS #8 in DER. */
export function generateMaterial(spec: KeySpec): Uint8Array {
  const details = KEY_SPECS[spec];
  if (details.usage === 'ENCRYPT_DECRYPT') return randomBytes(32);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: details.curve });
  return privateKey.export({ format: 'der', type: 'pkcs8' });
}
