import { bls12_381 } from '@noble/curves/bls12-381.js';

/** Suites of draft-irtf-cfrg-bls-signature, 4.2.3: public keys in G1 (48 bytes), signatures in G2 (96 bytes), compressed. */
const SIGNATURE_SUITE = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
const POSSESSION_SUITE = 'BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
export const BLS_PUBLIC_KEY_BYTES = 48;
export const BLS_SIGNATURE_BYTES = 96;

const { longSignatures, G1 } = bls12_381;

/** Derives the public key of a secret, a scalar of 32 bytes from 1 to the order less one. */
export function deriveBlsPublicKey(secret: Uint8Array): Uint8Array {
  return longSignatures.getPublicKey(secret).toBytes(true);
}

/** Signs a message: CoreSign (2.6) under the scheme of proofs of possession. Not in constant time. */
export function signBls(secret: Uint8Array, message: Uint8Array): Uint8Array {
  return sign(secret, message, SIGNATURE_SUITE);
}

/** Proves the possession of a secret: PopProve (3.3.2), a signature over the public key. */
export function proveBlsPossession(secret: Uint8Array): Uint8Array {
  return sign(secret, deriveBlsPublicKey(secret), POSSESSION_SUITE);
}

/** Verifies a signature: CoreVerify (2.7); false for whatever is no key, no signature or not over the message. */
export function verifyBls(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return verify(publicKey, message, signature, SIGNATURE_SUITE);
}

/** Verifies a proof of possession: PopVerify (3.3.3). */
export function verifyBlsPossession(publicKey: Uint8Array, proof: Uint8Array): boolean {
  return verify(publicKey, publicKey, proof, POSSESSION_SUITE);
}

/** Tells whether bytes are a public key: KeyValidate (2.5), a point of the prime-order subgroup that is not the identity. */
export function isBlsPublicKey(bytes: Uint8Array): boolean {
  return readPublicKey(bytes) !== undefined;
}

function sign(secret: Uint8Array, message: Uint8Array, suite: string): Uint8Array {
  return longSignatures.Signature.toBytes(longSignatures.sign(longSignatures.hash(message, suite), secret));
}

function readPublicKey(bytes: Uint8Array) {
  if (bytes.length !== BLS_PUBLIC_KEY_BYTES) return undefined;
  try {
    const point = G1.Point.fromBytes(bytes);
    point.assertValidity();
    return point.is0() ? undefined : point;
  } catch {
    return undefined;
  }
}

function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, suite: string): boolean {
  const point = readPublicKey(publicKey);
  if (point === undefined || signature.length !== BLS_SIGNATURE_BYTES) return false;
  try {
    return longSignatures.verify(signature, longSignatures.hash(message, suite), point);
  } catch {
    return false;
  }
}
