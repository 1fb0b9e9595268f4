/** A private key on a curve, held by whoever computes with it. Its methods are not called after `clear`. */
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
  /** r ‖ s over 32 bytes: the nonce of RFC 6979 with SHA-256, the lower s. */
  signEcdsa(digest: Uint8Array): Uint8Array;
}

/** A private key of secp256k1. `digest`, `auxiliary` and a non-empty `merkleRoot` have 32 bytes. */
export interface Secp256k1Key extends CurveKey {
  /** r ‖ s: the nonce of RFC 6979 with SHA-256, the lower s; and the parity of R's y. */
  signEcdsa(digest: Uint8Array): { readonly signature: Uint8Array; readonly recovery: 0 | 1 };
  /** BIP-340 under the key itself; verified before it is returned. */
  signBip340(digest: Uint8Array, auxiliary: Uint8Array): TaprootSignature;
  /** BIP-340 under the output key of BIP-341 for a script tree with that root, or for none (BIP-86). */
  signTaproot(digest: Uint8Array, auxiliary: Uint8Array, merkleRoot: Uint8Array): TaprootSignature;
}

export interface TaprootSignature {
  readonly signature: Uint8Array;
  /** What verifies it, x-only. */
  readonly publicKey: Uint8Array;
}

/**
 * Arithmetic on the curves of ECDSA. An image has the one of `native-curves.ts` and no other: a platform hands it in,
 * and only the platform of local mode has another to choose.
 */
export interface Curves {
  /** Copies `secret`, 32 bytes; undefined for what is no scalar from 1 to the curve's order less one. */
  holdP256(secret: Uint8Array): P256Key | undefined;
  /** Like `holdP256`. */
  holdSecp256k1(secret: Uint8Array): Secp256k1Key | undefined;
}
