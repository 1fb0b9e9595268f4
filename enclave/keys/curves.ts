import type { Algorithm } from '../../shared/algorithms.ts';

/** A private key on a curve, in the memory of the implementation. No method may be called after `clear`. */
interface CurveKey {
  /** Compressed SEC1, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** Writes the 32 bytes of the secret into `target`, which the caller clears. */
  copySecret(target: Uint8Array): void;
  /** Overwrites the secret. */
  clear(): void;
}

/** A private key of P-256. */
export interface P256Key extends CurveKey {
  /** Signs 32 bytes by ECDSA: r ‖ s, with the nonce of RFC 6979 (SHA-256) and the lower s. */
  signEcdsa(digest: Uint8Array): Uint8Array;
}

/** A private key of secp256k1. `digest`, `auxiliary` and a non-empty `merkleRoot` have 32 bytes. */
export interface Secp256k1Key extends CurveKey {
  /** Signs by ECDSA: r ‖ s, with the nonce of RFC 6979 (SHA-256) and the lower s; `recovery` is the parity of R's y. */
  signEcdsa(digest: Uint8Array): { readonly signature: Uint8Array; readonly recovery: 0 | 1 };
  /** Signs by BIP-340 under the key itself; the signature is verified before it is returned. */
  signBip340(digest: Uint8Array, auxiliary: Uint8Array): TaprootSignature;
  /** Signs by BIP-340 under the output key of BIP-341, for a script tree with that root or for none (BIP-86). */
  signTaproot(digest: Uint8Array, auxiliary: Uint8Array, merkleRoot: Uint8Array): TaprootSignature;
}

export interface TaprootSignature {
  readonly signature: Uint8Array;
  /** The public key that verifies the signature, x-only. */
  readonly publicKey: Uint8Array;
}

/** The algorithms that sign a digest with a key of OpenSSL. */
export type DigestAlgorithm = Extract<
  Algorithm,
  'ecdsa-p384-sha384' | 'ed25519ph' | `rsa-pss-${string}` | `rsa-pkcs1-${string}`
>;

/** A private key that signs digests, which node:crypto by itself cannot: it hashes whatever it signs. */
export interface DigestKey {
  /**
   * Signs a digest of the algorithm's length. ECDSA: r ‖ s, with the nonce of RFC 6979 (the algorithm's hash) and the lower
   * s; RSASSA-PSS has a salt of the digest's length.
   */
  signDigest(algorithm: DigestAlgorithm, digest: Uint8Array): Uint8Array;
  /** Overwrites the secret. No method may be called afterwards. */
  clear(): void;
}

/**
 * Arithmetic on the curves of ECDSA, which a platform hands in. The image has the implementation in `native-curves.ts`
 * alone; local mode may choose another.
 */
export interface Curves {
  /** Holds a copy of `secret`, 32 bytes; undefined where that is not a scalar from 1 to the order less one. */
  holdP256(secret: Uint8Array): P256Key | undefined;
  /** Holds a copy of `secret`, like `holdP256`. */
  holdSecp256k1(secret: Uint8Array): Secp256k1Key | undefined;
  /** Holds a key of P-384, Ed25519 or RSA from its PrivateKeyInfo in DER, which node:crypto has written. */
  holdDigestKey(privateKeyInfo: Uint8Array): DigestKey;
}
