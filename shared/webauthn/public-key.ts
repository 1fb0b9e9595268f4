import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { WebAuthnError } from './errors.ts';

/** Signature algorithms of passkeys that are taken: COSE −7 and −8. */
export type PasskeyAlgorithm = 'ES256' | 'EdDSA';

/** A passkey's public key: compressed SEC1 on P-256 (33 bytes), or raw Ed25519 (32 bytes). */
export interface PasskeyPublicKey {
  readonly algorithm: PasskeyAlgorithm;
  readonly publicKey: Uint8Array;
}

const COORDINATE_BYTES = 32;
/**
 * COSE keys of the two algorithms, byte by byte up to the coordinates: WebAuthn Level 3, section 6.5.1, wants the CTAP2
 * canonical encoding and no optional parameter but `alg`, so that each algorithm has one form.
 */
const ES256_BEFORE_X = Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20);
const ES256_BEFORE_Y = Uint8Array.of(0x22, 0x58, 0x20);
const EDDSA_BEFORE_X = Uint8Array.of(0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20);

/**
 * Reads the COSE key that `bytes` begin with.
 *
 * @returns the key, and the number of bytes that the COSE key has
 * @throws WebAuthnError WEBAUTHN_PUBLIC_KEY for another algorithm or encoding, and for points that are not on the curve
 */
export function readCoseKey(bytes: Uint8Array): { readonly key: PasskeyPublicKey; readonly length: number } {
  const reader = new TemplateReader(bytes);
  if (reader.skip(ES256_BEFORE_X)) {
    const x = reader.take();
    if (!reader.skip(ES256_BEFORE_Y)) throw unreadable();
    const y = reader.take();
    const publicKey = compressPoint(Uint8Array.of(4, ...x, ...y));
    return { key: { algorithm: 'ES256', publicKey }, length: reader.offset };
  }
  if (!reader.skip(EDDSA_BEFORE_X)) throw unreadable();
  const key: PasskeyPublicKey = { algorithm: 'EdDSA', publicKey: reader.take() };
  assertPublicKey(key);
  return { key, length: reader.offset };
}

/**
 * Asserts that a public key is a point of its curve, in its one encoding.
 *
 * @throws WebAuthnError WEBAUTHN_PUBLIC_KEY
 */
export function assertPublicKey({ algorithm, publicKey }: PasskeyPublicKey): void {
  if (algorithm === 'ES256') {
    if (publicKey.length !== COORDINATE_BYTES + 1) throw unreadable();
    compressPoint(publicKey);
    return;
  }
  try {
    // Points of small order verify signatures that nobody made.
    if (!ed25519.Point.fromBytes(publicKey).isSmallOrder()) return;
  } catch (error) {
    throw unreadable(error);
  }
  throw unreadable();
}

function compressPoint(point: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(p256.Point.fromBytes(point).toBytes(true));
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause?: unknown): WebAuthnError {
  return new WebAuthnError(
    'WEBAUTHN_PUBLIC_KEY',
    'expected a public key of ES256 or EdDSA in its canonical encoding',
    {},
    cause,
  );
}

/** Compares bytes with what a fixed encoding has, and takes coordinates out. */
class TemplateReader {
  readonly #bytes: Uint8Array;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  skip(expected: Uint8Array): boolean {
    if (!expected.every((byte, index) => this.#bytes[this.offset + index] === byte)) return false;
    this.offset += expected.length;
    return true;
  }

  take(): Uint8Array {
    const taken = this.#bytes.slice(this.offset, this.offset + COORDINATE_BYTES);
    if (taken.length !== COORDINATE_BYTES) throw unreadable();
    this.offset += COORDINATE_BYTES;
    return taken;
  }
}
