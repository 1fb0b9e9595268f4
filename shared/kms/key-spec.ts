/** Purposes of keys, by AWS's names. */
export const KEY_USAGES = [
  'SIGN_VERIFY',
  'ENCRYPT_DECRYPT',
  'GENERATE_VERIFY_MAC',
  'KEY_AGREEMENT',
  'ENCAPSULATE_DECAPSULATE',
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

export type Curve = 'P-256' | 'P-384' | 'P-521' | 'secp256k1';

/** Kind of key: how its material is made, and its usages, the usual one first. */
export type KeySpecDetails = { readonly usages: readonly [KeyUsage, ...KeyUsage[]] } & (
  | { readonly type: 'symmetric' }
  | { readonly type: 'hmac'; readonly bytes: number; readonly algorithm: string; readonly hash: string }
  | { readonly type: 'rsa'; readonly bits: number }
  | { readonly type: 'ec'; readonly curve: Curve; readonly algorithm: string }
  | { readonly type: 'ed25519' }
  | { readonly type: 'ml-dsa'; readonly name: 'ml-dsa-44' | 'ml-dsa-65' | 'ml-dsa-87' }
  | { readonly type: 'ml-kem'; readonly name: 'ml-kem-512' | 'ml-kem-768' | 'ml-kem-1024' }
);

const rsa = (bits: number): KeySpecDetails => ({
  type: 'rsa',
  bits,
  usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
});
const nist = (curve: Curve, algorithm: string): KeySpecDetails => ({
  type: 'ec',
  curve,
  algorithm,
  usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
});
const hmac = (bits: number): KeySpecDetails => ({
  type: 'hmac',
  bytes: bits / 8,
  algorithm: `HMAC_SHA_${bits}`,
  hash: `sha${bits}`,
  usages: ['GENERATE_VERIFY_MAC'],
});

/** Kinds of keys that KMS makes by itself, without SM2. Source: AWS KMS Developer Guide, "Key spec reference". */
export const KEY_SPECS = {
  SYMMETRIC_DEFAULT: { type: 'symmetric', usages: ['ENCRYPT_DECRYPT'] },
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: nist('P-256', 'ECDSA_SHA_256'),
  ECC_NIST_P384: nist('P-384', 'ECDSA_SHA_384'),
  ECC_NIST_P521: nist('P-521', 'ECDSA_SHA_512'),
  ECC_SECG_P256K1: { type: 'ec', curve: 'secp256k1', algorithm: 'ECDSA_SHA_256', usages: ['SIGN_VERIFY'] },
  ECC_NIST_EDWARDS25519: { type: 'ed25519', usages: ['SIGN_VERIFY'] },
  HMAC_224: hmac(224),
  HMAC_256: hmac(256),
  HMAC_384: hmac(384),
  HMAC_512: hmac(512),
  ML_DSA_44: { type: 'ml-dsa', name: 'ml-dsa-44', usages: ['SIGN_VERIFY'] },
  ML_DSA_65: { type: 'ml-dsa', name: 'ml-dsa-65', usages: ['SIGN_VERIFY'] },
  ML_DSA_87: { type: 'ml-dsa', name: 'ml-dsa-87', usages: ['SIGN_VERIFY'] },
  ML_KEM_512: { type: 'ml-kem', name: 'ml-kem-512', usages: ['ENCAPSULATE_DECAPSULATE'] },
  ML_KEM_768: { type: 'ml-kem', name: 'ml-kem-768', usages: ['ENCAPSULATE_DECAPSULATE'] },
  ML_KEM_1024: { type: 'ml-kem', name: 'ml-kem-1024', usages: ['ENCAPSULATE_DECAPSULATE'] },
} satisfies Record<string, KeySpecDetails>;

export type KeySpec = keyof typeof KEY_SPECS;
export const KEY_SPEC_NAMES = Object.keys(KEY_SPECS) as [KeySpec, ...KeySpec[]];

export function isKeySpec(name: string): name is KeySpec {
  return Object.hasOwn(KEY_SPECS, name);
}

export function specDetails(spec: KeySpec): KeySpecDetails {
  return KEY_SPECS[spec];
}

export const SIGNING_ALGORITHMS = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'ECDSA_SHA_256',
  'ECDSA_SHA_384',
  'ECDSA_SHA_512',
  'SM2DSA',
  'ML_DSA_SHAKE_256',
  'ED25519_SHA_512',
  'ED25519_PH_SHA_512',
] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];
export const ENCRYPTION_ALGORITHMS = [
  'SYMMETRIC_DEFAULT',
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'SM2PKE',
] as const;
export type EncryptionAlgorithm = (typeof ENCRYPTION_ALGORITHMS)[number];
export const MAC_ALGORITHMS = ['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512'] as const;

/** Algorithms of a kind of key in one usage, by AWS's names. */
export function algorithmsOf(spec: KeySpec, usage: KeyUsage): readonly string[] {
  const details = specDetails(spec);
  switch (details.type) {
    case 'symmetric':
      return ['SYMMETRIC_DEFAULT'];
    case 'hmac':
      return [details.algorithm];
    case 'rsa':
      return usage === 'ENCRYPT_DECRYPT'
        ? ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']
        : SIGNING_ALGORITHMS.filter((name) => name.startsWith('RSASSA_'));
    case 'ec':
      return usage === 'KEY_AGREEMENT' ? ['ECDH'] : [details.algorithm];
    case 'ed25519':
      return ['ED25519_SHA_512', 'ED25519_PH_SHA_512'];
    case 'ml-dsa':
      return ['ML_DSA_SHAKE_256'];
    case 'ml-kem':
    default:
      return ['ML_KEM'];
  }
}

/** Member of DescribeKey and GetPublicKey that lists the algorithms of a usage. */
export const ALGORITHMS_MEMBER: Readonly<Record<KeyUsage, string>> = {
  SIGN_VERIFY: 'SigningAlgorithms',
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
};
