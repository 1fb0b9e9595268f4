import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { DER_TAG, DerReader } from '../asn1/der-reader.ts';
import { WebAuthnError } from './errors.ts';
import type { PasskeyPublicKey } from './public-key.ts';

const SCALAR_BYTES = 32;
/** Longest DER signature of ES256, in bytes: two integers of 33 octets and their headers. */
export const MAX_SIGNATURE_BYTES = 72;

/**
 * Verifies the signature of a passkey: ES256 in strict DER (WebAuthn Level 3, section 6.5.5; SEC 1, section C.8), EdDSA
 * as RFC 8032 has it. A high S is taken, since authenticators make such signatures: whoever has one signature can make
 * the other of the same bytes, so that no signature may serve as an identifier.
 *
 * @throws WebAuthnError WEBAUTHN_SIGNATURE, WEBAUTHN_PUBLIC_KEY
 */
export function assertSignature(
  signature: Uint8Array,
  message: Uint8Array,
  { algorithm, publicKey }: PasskeyPublicKey,
): void {
  if (signature.length > MAX_SIGNATURE_BYTES) throw invalid();
  const isValid =
    algorithm === 'ES256'
      ? p256.verify(toCompact(signature), message, publicKey, { prehash: true, lowS: false })
      : signature.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false });
  if (!isValid) throw invalid();
}

/** Converts SEQUENCE { r INTEGER, s INTEGER } to r ‖ s, and refuses every encoding but DER's. */
function toCompact(der: Uint8Array): Uint8Array {
  const reader = new DerReader(der, (_code, message) => invalid(message));
  const sequence = reader.enter(DER_TAG.sequence);
  const scalars = [sequence.readInteger(), sequence.readInteger()];
  sequence.finish();
  reader.finish();
  const compact = new Uint8Array(2 * SCALAR_BYTES);
  for (const [index, octets] of scalars.entries()) {
    const isNegative = (octets[0] ?? 0) >= 0x80;
    const magnitude = octets[0] === 0 ? octets.subarray(1) : octets;
    if (isNegative || magnitude.length === 0 || magnitude.length > SCALAR_BYTES) throw invalid();
    compact.set(magnitude, (index + 1) * SCALAR_BYTES - magnitude.length);
  }
  return compact;
}

function invalid(message = 'the signature of the passkey does not verify'): WebAuthnError {
  return new WebAuthnError('WEBAUTHN_SIGNATURE', message);
}
