import { type Algorithm, type KeyType, type PoolKeyType } from '../../shared/algorithms.ts';
import type { ChildKey, NonceCommitments, Nonces, SignatureShare } from '../../shared/frost/index.ts';
import type { SigningInput } from '../../policy/transactions/index.ts';

/** A payload, and the algorithm to sign it with. */
export interface SigningRequest {
  readonly algorithm: Algorithm;
  readonly payload: SigningInput;
  /** The second round of FROST (RFC 9591, 5.2), which a share needs and a whole key ignores. */
  readonly round?: SigningRound;
}

/** A signer's nonces of round one, and the commitments of all signers that take part, its own included. */
export interface SigningRound {
  readonly nonces: Nonces;
  readonly commitments: readonly NonceCommitments[];
  /** The child of the share's group that signs; absent where the group itself does. */
  readonly child?: ChildKey | undefined;
}

/** A signature that verifies by itself. */
export interface KeySignature {
  /**
   * 64 bytes: R ‖ S, or r ‖ s with a low s; of P-384 96 bytes; BLS: 96 bytes, a point of G2; RSA: as long as the modulus.
   */
  readonly signature: Uint8Array;
  /**
   * The public key that verifies the signature: raw Ed25519, compressed SEC1 for ECDSA, x-only for BIP-340, G1 for
   * BLS; SubjectPublicKeyInfo in DER for RSA.
   */
  readonly publicKey: Uint8Array;
  /** ECDSA on secp256k1 only: the parity of R's y, for public key recovery. */
  readonly recovery?: 0 | 1;
}

/**
 * A secret in memory that signs: a whole key, whose signatures stand alone, or a share of a group's key, whose
 * signatures are aggregated with others'. The secret is held by a closure, and nothing enumerable refers to it.
 */
export interface Signer<
  Type extends KeyType | PoolKeyType = KeyType,
  Signature = KeySignature | SignatureShare,
> {
  readonly type: Type;
  /** Raw Ed25519 (32 bytes) or compressed SEC1 (33 bytes); for a share, the key of its group. */
  readonly publicKey: Uint8Array;
  /** Signs a request. @throws SignerError ALGORITHM_MISMATCH, PAYLOAD_MISMATCH, and the codes of keys or shares */
  sign(request: SigningRequest): Signature;
  /** Serialises the secret for the sealed store; the caller seals the bytes and clears them. */
  serialise(): Uint8Array<ArrayBuffer>;
  /** Clears the secret; every later use throws. */
  destroy(): void;
}
