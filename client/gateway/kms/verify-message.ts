import { p256, p384 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { parsePublicKey } from '../../../shared/public-keys.ts';
import {
  type SignedPayload,
  type VerifiableAlgorithm,
  verifySignature,
} from '../../../shared/signatures/verification.ts';

const CURVES: Readonly<Partial<Record<string, typeof p256 | typeof p384 | typeof secp256k1>>> = {
  'ecdsa-p256-sha256': p256,
  'ecdsa-p384-sha384': p384,
  'ecdsa-secp256k1': secp256k1,
};

/**
 * Verifies a signature as KMS clients have it: ECDSA's in DER.
 *
 * @param publicKey SubjectPublicKeyInfo in DER, from a verified node
 */
export function verifyMessage(
  algorithm: VerifiableAlgorithm,
  publicKey: Uint8Array,
  payload: SignedPayload,
  signature: Uint8Array,
): boolean {
  const parsed = parsePublicKey(publicKey);
  const plain = decodeSignature(algorithm, signature);
  if (parsed === undefined || plain === undefined) return false;
  return verifySignature(algorithm, parsed.publicKey, payload, plain);
}

/** Reads the DER of ECDSA as r ‖ s; undefined for what is none. */
function decodeSignature(algorithm: string, signature: Uint8Array): Uint8Array | undefined {
  const curve = CURVES[algorithm];
  if (curve === undefined) return signature;
  try {
    return curve.Signature.fromBytes(signature, 'der').toBytes('compact');
  } catch {
    return undefined;
  }
}
