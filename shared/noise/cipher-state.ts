import { createCipheriv, createDecipheriv } from 'node:crypto';
import { NoiseError } from './errors.ts';

const KEY_BYTES = 32;
/** Length of the tag that a ciphertext has beside its plaintext, in bytes. */
export const TAG_BYTES = 16;
const NONCE_BYTES = 12;
/** Nonce that rekeying alone uses (section 4.2). */
const REKEY_NONCE = 0xffff_ffff_ffff_ffffn;
const ALGORITHM = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG_BYTES } as const;

/**
 * A key of ChaCha20-Poly1305 (RFC 8439), as section 12.3 of Noise, revision 34, uses it: a nonce is 4 zero bytes and a
 * 64-bit little-endian number.
 */
export class CipherKey {
  readonly #key: Buffer;

  /** Takes a copy of the 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== KEY_BYTES) throw new RangeError(`a key of ${key.length} bytes`);
    this.#key = Buffer.from(key);
  }

  /**
   * Encrypts with a nonce that was never used with this key.
   *
   * @throws NoiseError NOISE_NONCE_EXHAUSTED for 2^64 - 1 and beyond
   */
  encrypt(nonce: bigint, associated: Uint8Array, plaintext: Uint8Array): Buffer<ArrayBuffer> {
    assertNonce(nonce);
    return this.#seal(nonce, associated, plaintext);
  }

  /** Decrypts. @throws NoiseError NOISE_DECRYPT_FAILED, NOISE_MESSAGE_LENGTH, NOISE_NONCE_EXHAUSTED */
  decrypt(nonce: bigint, associated: Uint8Array, ciphertext: Uint8Array): Buffer<ArrayBuffer> {
    assertNonce(nonce);
    const length = ciphertext.length - TAG_BYTES;
    if (length < 0)
      throw new NoiseError('NOISE_MESSAGE_LENGTH', 'a ciphertext shorter than its tag', { length });
    const decipher = createDecipheriv(ALGORITHM, this.#key, encodeNonce(nonce), OPTIONS);
    decipher.setAAD(associated, { plaintextLength: length });
    decipher.setAuthTag(ciphertext.subarray(length));
    const plaintext = decipher.update(ciphertext.subarray(0, length));
    try {
      decipher.final();
    } catch (error) {
      plaintext.fill(0);
      throw new NoiseError('NOISE_DECRYPT_FAILED', 'the tag of a ciphertext does not match', {}, error);
    }
    return plaintext;
  }

  /** Returns the key that follows this one (REKEY of section 4.2); whoever has it cannot compute this one. */
  next(): CipherKey {
    const sealed = this.#seal(REKEY_NONCE, new Uint8Array(), new Uint8Array(KEY_BYTES));
    const next = new CipherKey(sealed.subarray(0, KEY_BYTES));
    sealed.fill(0);
    return next;
  }

  /** Clears the key; it must not be used any more. */
  destroy(): void {
    this.#key.fill(0);
  }

  #seal(nonce: bigint, associated: Uint8Array, plaintext: Uint8Array): Buffer<ArrayBuffer> {
    const cipher = createCipheriv(ALGORITHM, this.#key, encodeNonce(nonce), OPTIONS);
    cipher.setAAD(associated, { plaintextLength: plaintext.length });
    const sealed = Buffer.allocUnsafe(plaintext.length + TAG_BYTES);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  }
}

function assertNonce(nonce: bigint): void {
  if (nonce < REKEY_NONCE) return;
  throw new NoiseError('NOISE_NONCE_EXHAUSTED', 'expected a nonce below 2^64 - 1');
}

function encodeNonce(nonce: bigint): Buffer {
  const bytes = Buffer.alloc(NONCE_BYTES);
  bytes.writeBigUInt64LE(nonce, 4);
  return bytes;
}
