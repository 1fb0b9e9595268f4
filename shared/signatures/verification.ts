import { ed25519 } from '@noble/curves/ed25519.js';
import { p256, p384 } from '@noble/curves/nist.js';
import { schnorr, secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { type Algorithm, describeAlgorithm } from '../algorithms.ts';
import { readRsaModulus } from '../public-keys.ts';
import { verifyBls } from './bls.ts';
import { ed25519OfDigest } from './ed25519ph.ts';
import { verifyPkcs1, verifyPss } from './rsa.ts';

/** The algorithms whose signatures verify by themselves; those of FROST are verified by the group's own (shared/frost). */
export type VerifiableAlgorithm = Exclude<
  Algorithm,
  | 'frost-secp256k1-taproot'
  | 'frost-p256'
  | 'frost-ristretto255'
  | `rsa-oaep-${string}`
  | `hmac-${string}`
  | 'aes-256-gcm'
  | 'ecdh'
>;

/** What was signed: a message, or a digest of the algorithm's length. */
export interface SignedPayload {
  readonly kind: 'message' | 'digest';
  readonly bytes: Uint8Array;
}

const HASHES = { 32: sha256, 48: sha384, 64: sha512 } as const;
const EITHER_S = { prehash: false, lowS: false } as const;

/**
 * Verifies a signature. Lengths and encodings are strict: ECDSA is r ‖ s, with either s; points are on their curve and in
 * their one encoding; RSASSA-PSS has a salt of the hash's length.
 *
 * @param publicKey raw Ed25519, compressed SEC1, x-only for BIP-340, G1 for BLS, SubjectPublicKeyInfo in DER of RSA
 * @returns false for whatever does not verify, however malformed it is, and for a digest of another length
 */
export function verifySignature(
  algorithm: VerifiableAlgorithm,
  publicKey: Uint8Array,
  payload: SignedPayload,
  signature: Uint8Array,
): boolean {
  try {
    return verify(algorithm, publicKey, payload, signature);
  } catch {
    // noble throws for malformed points and signatures.
    return false;
  }
}

function verify(
  algorithm: VerifiableAlgorithm,
  publicKey: Uint8Array,
  payload: SignedPayload,
  signature: Uint8Array,
): boolean {
  switch (algorithm) {
    case 'ed25519':
    case 'frost-ed25519':
      return (
        payload.kind === 'message' && ed25519.verify(signature, payload.bytes, publicKey, { zip215: false })
      );
    case 'ed25519ph':
      return ed25519OfDigest.verify(signature, digestOf(algorithm, payload), publicKey, { zip215: false });
    case 'ecdsa-p256-sha256':
      return verifyEcdsa(p256, 33, digestOf(algorithm, payload), { publicKey, signature });
    case 'ecdsa-p384-sha384':
      return verifyEcdsa(p384, 49, digestOf(algorithm, payload), { publicKey, signature });
    case 'ecdsa-secp256k1':
      return verifyEcdsa(secp256k1, 33, digestOf(algorithm, payload), { publicKey, signature });
    case 'bip340':
      return payload.kind === 'digest' && schnorr.verify(signature, digestOf(algorithm, payload), publicKey);
    case 'bls12-381-pop':
      return payload.kind === 'message' && verifyBls(publicKey, payload.bytes, signature);
    case 'rsa-pss-sha256':
    case 'rsa-pss-sha384':
    case 'rsa-pss-sha512':
    case 'rsa-pkcs1-sha256':
    case 'rsa-pkcs1-sha384':
    case 'rsa-pkcs1-sha512':
    default: {
      const modulus = readRsaModulus(publicKey);
      const verifyRsa = algorithm.startsWith('rsa-pss') ? verifyPss : verifyPkcs1;
      return modulus !== undefined && verifyRsa({ modulus }, digestOf(algorithm, payload), signature);
    }
  }
}

function verifyEcdsa(
  curve: Pick<typeof p256, 'verify'>,
  bytes: number,
  digest: Uint8Array,
  { publicKey, signature }: { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
): boolean {
  return publicKey.length === bytes && curve.verify(signature, digest, publicKey, EITHER_S);
}

/** Makes the digest that is signed, or takes the caller's. @throws RangeError for one of another length */
function digestOf(algorithm: Algorithm, { kind, bytes }: SignedPayload): Uint8Array {
  const { digestBytes } = describeAlgorithm(algorithm);
  if (digestBytes === 0) throw new RangeError(`${algorithm} takes no digest`);
  if (kind === 'message') return HASHES[digestBytes](bytes);
  if (bytes.length !== digestBytes) throw new RangeError(`expected ${digestBytes} bytes of a digest`);
  return bytes;
}
