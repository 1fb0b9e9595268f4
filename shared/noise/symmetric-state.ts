import { createHash, hkdfSync } from 'node:crypto';
import { CipherKey } from './cipher-state.ts';

const HASH_BYTES = 32;

/** The two keys with which a handshake ends: of the initiator's messages, and of the responder's. */
export interface SplitKeys {
  readonly initiator: CipherKey;
  readonly responder: CipherKey;
}

/** SymmetricState and CipherState of a handshake (Noise, revision 34, sections 5.1 and 5.2), with SHA-256. */
export class SymmetricState {
  #chainingKey: Buffer;
  #hash: Buffer;
  #key: CipherKey | undefined;
  #nonce = 0n;

  /** InitializeSymmetric. A name of up to 32 bytes is padded with zeros, a longer one is hashed. */
  constructor(protocolName: string) {
    const name = Buffer.from(protocolName, 'ascii');
    this.#hash =
      name.length <= HASH_BYTES ? Buffer.concat([name], HASH_BYTES) : sha256(name, new Uint8Array());
    this.#chainingKey = Buffer.from(this.#hash);
  }

  /** Copies the state, so that a message that turns out to be no good leaves the original as it was. */
  clone(): SymmetricState {
    const copy = new SymmetricState('');
    copy.#chainingKey = Buffer.from(this.#chainingKey);
    copy.#hash = Buffer.from(this.#hash);
    copy.#key = this.#key;
    copy.#nonce = this.#nonce;
    return copy;
  }

  /** A copy of h, 32 bytes. */
  get hash(): Uint8Array {
    return new Uint8Array(this.#hash);
  }

  mixHash(data: Uint8Array): void {
    this.#hash = sha256(this.#hash, data);
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = expand(this.#chainingKey, secret);
    this.#chainingKey.fill(0);
    this.#chainingKey = chainingKey;
    this.#key = new CipherKey(key);
    this.#nonce = 0n;
    key.fill(0);
  }

  /** EncryptAndHash: as it is, before there is a key. @throws NoiseError NOISE_NONCE_EXHAUSTED */
  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext =
      this.#key === undefined ? plaintext : this.#key.encrypt(this.#nonce++, this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** DecryptAndHash. @throws NoiseError NOISE_DECRYPT_FAILED, NOISE_MESSAGE_LENGTH, NOISE_NONCE_EXHAUSTED */
  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext =
      this.#key === undefined ? ciphertext : this.#key.decrypt(this.#nonce++, this.#hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** Split. The chaining key is cleared: the state is of no use any more. */
  split(): SplitKeys {
    const [initiator, responder] = expand(this.#chainingKey, new Uint8Array());
    const keys = { initiator: new CipherKey(initiator), responder: new CipherKey(responder) };
    initiator.fill(0);
    responder.fill(0);
    this.#chainingKey.fill(0);
    return keys;
  }
}

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HKDF of section 4.3 with two outputs, which is that of RFC 5869 with an empty `info`. */
function expand(chainingKey: Uint8Array, secret: Uint8Array): [Buffer, Buffer] {
  const bytes = Buffer.from(hkdfSync('sha256', secret, chainingKey, '', 2 * HASH_BYTES));
  return [bytes.subarray(0, HASH_BYTES), bytes.subarray(HASH_BYTES)];
}
