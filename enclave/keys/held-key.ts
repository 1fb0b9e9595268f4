import { type Algorithm, type KeyType, type KeyUsage, type PoolKeyType } from '../../shared/algorithms.ts';
import { type KeySignature, type Signer } from '../signer/index.ts';

/** The types of keys of the configuration that one node makes and uses alone; shares of a group's key are in enclave/frost. */
export const SOLE_KEY_TYPES = [
  'ed25519',
  'p256',
  'p384',
  'secp256k1',
  'bls12-381',
] as const satisfies readonly KeyType[];
export type SoleKeyType = (typeof SOLE_KEY_TYPES)[number];

export function isSoleKeyType(type: KeyType): type is SoleKeyType {
  return (SOLE_KEY_TYPES as readonly KeyType[]).includes(type);
}

/** The types of all whole keys: of the configuration, and of pools. */
export type HeldKeyType = SoleKeyType | PoolKeyType;

/** Pairs that a ciphertext is bound to: KMS's EncryptionContext. Their order means nothing. */
export type EncryptionContext = Readonly<Record<string, string>>;

export interface EncryptionRequest {
  readonly algorithm: Algorithm;
  readonly plaintext: Uint8Array;
  /** Of `aes-256-gcm` alone; left out or empty elsewhere. */
  readonly context?: EncryptionContext | undefined;
}

export interface DecryptionRequest {
  readonly algorithm: Algorithm;
  readonly ciphertext: Uint8Array;
  readonly context?: EncryptionContext | undefined;
}

/**
 * A whole private or secret key in memory. A method that is none of the key's usage throws KeyError USAGE_MISMATCH, an
 * algorithm that is none of its type ALGORITHM_MISMATCH, and every method KEY_DESTROYED after `destroy()`. The secret is
 * held by a closure, and nothing enumerable refers to it.
 */
export interface HeldKey<Type extends HeldKeyType = HeldKeyType> extends Omit<
  Signer<Type, KeySignature>,
  'publicKey'
> {
  readonly usage: KeyUsage;
  /**
   * Raw Ed25519 (32 bytes), compressed SEC1 (33, of P-384 49), BLS12-381 in G1 (48), SubjectPublicKeyInfo in DER of RSA;
   * null of symmetric and HMAC keys. `encodePublicKey` of shared/public-keys makes a SubjectPublicKeyInfo of each.
   */
  readonly publicKey: Uint8Array | null;
  /**
   * Encrypts. RSA takes a plaintext of at most its length less two hashes and two bytes.
   * @throws KeyError PLAINTEXT_TOO_LONG, CONTEXT_UNEXPECTED
   */
  encrypt(request: EncryptionRequest): Uint8Array;
  /** Decrypts; whatever is wrong with the ciphertext has one code. @throws KeyError DECRYPTION_FAILED, CONTEXT_UNEXPECTED */
  decrypt(request: DecryptionRequest): Uint8Array;
  /** Computes the HMAC of a message, as long as its hash. */
  mac(algorithm: Algorithm, message: Uint8Array): Uint8Array;
  /** Verifies an HMAC of full length, in constant time. */
  verifyMac(algorithm: Algorithm, message: Uint8Array, mac: Uint8Array): boolean;
  /**
   * Computes the x-coordinate of the point shared with a peer by ECDH (SP 800-56A, 5.7.1.2): 32 bytes, of P-384 48.
   *
   * @param peer SubjectPublicKeyInfo in DER of a key of the same curve
   * @throws KeyError PEER_KEY_INVALID
   */
  deriveSecret(algorithm: Algorithm, peer: Uint8Array): Uint8Array;
}

/** A key of the configuration: it signs. */
export type SigningKey = HeldKey<SoleKeyType> & { readonly publicKey: Uint8Array };
