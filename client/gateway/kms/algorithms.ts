import type { Algorithm, KeyType, KeyUsage, PoolKeyType } from '../../../shared/algorithms.ts';
import type { VerifiableAlgorithm } from '../../../shared/signatures/verification.ts';
import type { KeySpec } from '../../../shared/kms/index.ts';

/** Key types that a KMS client can see, by the name that KMS has for each. */
const SPECS: Readonly<Partial<Record<KeyType | PoolKeyType, KeySpec>>> = {
  ed25519: 'ECC_NIST_EDWARDS25519',
  // The group's signatures are Ed25519's.
  'frost-ed25519': 'ECC_NIST_EDWARDS25519',
  p256: 'ECC_NIST_P256',
  p384: 'ECC_NIST_P384',
  secp256k1: 'ECC_SECG_P256K1',
  'rsa-2048': 'RSA_2048',
  'rsa-3072': 'RSA_3072',
  'rsa-4096': 'RSA_4096',
  'aes-256': 'SYMMETRIC_DEFAULT',
  'hmac-224': 'HMAC_224',
  'hmac-256': 'HMAC_256',
  'hmac-384': 'HMAC_384',
  'hmac-512': 'HMAC_512',
};
const POOL_TYPES: Readonly<Partial<Record<KeySpec, PoolKeyType>>> = {
  ECC_NIST_EDWARDS25519: 'ed25519',
  ECC_NIST_P256: 'p256',
  ECC_NIST_P384: 'p384',
  ECC_SECG_P256K1: 'secp256k1',
  RSA_2048: 'rsa-2048',
  RSA_3072: 'rsa-3072',
  RSA_4096: 'rsa-4096',
  SYMMETRIC_DEFAULT: 'aes-256',
  HMAC_224: 'hmac-224',
  HMAC_256: 'hmac-256',
  HMAC_384: 'hmac-384',
  HMAC_512: 'hmac-512',
};
/** The usages of pool keys by KMS's names, and the other way round. */
export const KMS_USAGES = {
  sign: 'SIGN_VERIFY',
  encrypt: 'ENCRYPT_DECRYPT',
  mac: 'GENERATE_VERIFY_MAC',
  agree: 'KEY_AGREEMENT',
} as const satisfies Record<KeyUsage, string>;

/** Name that KMS has for a type; undefined for types whose signatures no KMS client could verify. */
export function specOf(type: KeyType | PoolKeyType): KeySpec | undefined {
  return SPECS[type];
}

/** Type of pool key that is a kind of KMS; undefined for kinds that no node makes. */
export function poolTypeOf(spec: KeySpec): PoolKeyType | undefined {
  return POOL_TYPES[spec];
}

export function usageOf(usage: string): KeyUsage | undefined {
  return (Object.keys(KMS_USAGES) as KeyUsage[]).find((each) => KMS_USAGES[each] === usage);
}

const SIGNATURES: Readonly<Record<string, VerifiableAlgorithm>> = {
  'p256 ECDSA_SHA_256': 'ecdsa-p256-sha256',
  'p384 ECDSA_SHA_384': 'ecdsa-p384-sha384',
  'secp256k1 ECDSA_SHA_256': 'ecdsa-secp256k1',
  'ed25519 ED25519_SHA_512': 'ed25519',
  'ed25519 ED25519_PH_SHA_512': 'ed25519ph',
  'frost-ed25519 ED25519_SHA_512': 'frost-ed25519',
  RSASSA_PSS_SHA_256: 'rsa-pss-sha256',
  RSASSA_PSS_SHA_384: 'rsa-pss-sha384',
  RSASSA_PSS_SHA_512: 'rsa-pss-sha512',
  RSASSA_PKCS1_V1_5_SHA_256: 'rsa-pkcs1-sha256',
  RSASSA_PKCS1_V1_5_SHA_384: 'rsa-pkcs1-sha384',
  RSASSA_PKCS1_V1_5_SHA_512: 'rsa-pkcs1-sha512',
};
const OTHERS: Readonly<Record<string, Algorithm>> = {
  RSAES_OAEP_SHA_1: 'rsa-oaep-sha1',
  RSAES_OAEP_SHA_256: 'rsa-oaep-sha256',
  SYMMETRIC_DEFAULT: 'aes-256-gcm',
  HMAC_SHA_224: 'hmac-sha224',
  HMAC_SHA_256: 'hmac-sha256',
  HMAC_SHA_384: 'hmac-sha384',
  HMAC_SHA_512: 'hmac-sha512',
};

/** Finds the node's signature algorithm for one of KMS's and a type of key; undefined where the type has none of it. */
export function signatureAlgorithmOf(
  type: KeyType | PoolKeyType,
  name: string,
): VerifiableAlgorithm | undefined {
  return SIGNATURES[`${type} ${name}`] ?? SIGNATURES[name];
}

/** Finds the node's algorithm for one of KMS's that encrypts or makes MACs. */
export function algorithmOf(name: string): Algorithm | undefined {
  return OTHERS[name];
}
