import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { HpkeError } from './errors.ts';

/*
 * HPKE (RFC 9180), single-shot base mode with one suite: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305
 * (appendix A.2). All arithmetic is OpenSSL's.
 */
const KEM_SUITE = Buffer.from('4b454d0020', 'hex'); // "KEM", 0x0020
const HPKE_SUITE = Buffer.from('48504b45002000010003', 'hex'); // "HPKE", 0x0020, 0x0001, 0x0003
const AEAD = 'chacha20-poly1305';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BASE_MODE = Uint8Array.of(0);
const EMPTY = new Uint8Array(0);
const VERSION_LABEL = Buffer.from('HPKE-v1');

const PUBLIC_KEY_BYTES = 32;

export interface Encrypted {
  /** The sender's ephemeral X25519 public key. */
  readonly encapsulatedKey: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface Binding {
  /** Application information, bound to the derived keys. */
  readonly info: Uint8Array;
  /** Additional data, bound to the ciphertext. */
  readonly aad: Uint8Array;
}

function hmac(key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** Computes LabeledExtract, RFC 9180, 4. */
function extract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Buffer {
  return hmac(salt, VERSION_LABEL, suite, Buffer.from(label), secret);
}

/** Computes LabeledExpand, RFC 9180, 4; one block of HKDF, so `length` is 32 at most. */
function expand(suite: Uint8Array, prk: Uint8Array, label: string, info: Uint8Array, length: number): Buffer {
  const prefix = Uint8Array.of(0, length);
  const last = Uint8Array.of(1);
  return hmac(prk, prefix, VERSION_LABEL, suite, Buffer.from(label), info, last).subarray(0, length);
}

function parsePublicKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== PUBLIC_KEY_BYTES)
    throw new HpkeError(
      'HPKE_KEY_INVALID',
      `expected an X25519 public key of 32 bytes, found ${bytes.length}`,
    );
  return createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType: 'x25519' });
}

export function exportPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'raw-public' });
}

/** Derives the KEM's shared secret: ExtractAndExpand of the Diffie-Hellman result (RFC 9180, 4.1). */
function deriveSharedSecret(privateKey: KeyObject, publicKey: KeyObject, context: Uint8Array): Buffer {
  let dh: Buffer;
  try {
    // OpenSSL refuses the points of small order, whose result is zero (RFC 7748, 6.1).
    dh = diffieHellman({ privateKey, publicKey });
  } catch (cause) {
    throw new HpkeError('HPKE_KEY_INVALID', 'no shared secret with that key', {}, cause);
  }
  const prk = extract(KEM_SUITE, EMPTY, 'eae_prk', dh);
  dh.fill(0);
  const shared = expand(KEM_SUITE, prk, 'shared_secret', context, KEY_BYTES);
  prk.fill(0);
  return shared;
}

/** Computes KeySchedule of the base mode (RFC 9180, 5.1); clears `shared`. */
function deriveKeys(shared: Buffer, info: Uint8Array): { key: Buffer; nonce: Buffer } {
  const context = Buffer.concat([
    BASE_MODE,
    extract(HPKE_SUITE, EMPTY, 'psk_id_hash', EMPTY),
    extract(HPKE_SUITE, EMPTY, 'info_hash', info),
  ]);
  const secret = extract(HPKE_SUITE, shared, 'secret', EMPTY);
  shared.fill(0);
  const key = expand(HPKE_SUITE, secret, 'key', context, KEY_BYTES);
  const nonce = expand(HPKE_SUITE, secret, 'base_nonce', context, NONCE_BYTES);
  secret.fill(0);
  return { key, nonce };
}

/**
 * Encrypts to an X25519 public key (RFC 9180, 6.1).
 *
 * @param ephemeral the sender's key pair, which must be used for nothing else; a new one when left out
 * @throws HpkeError HPKE_KEY_INVALID
 */
export function sealTo(
  recipient: Uint8Array,
  plaintext: Uint8Array,
  { info, aad }: Binding,
  ephemeral = generateKeyPairSync('x25519'),
): Encrypted {
  const encapsulatedKey = exportPublicKey(ephemeral.publicKey);
  const context = Buffer.concat([encapsulatedKey, recipient]);
  const { key, nonce } = deriveKeys(
    deriveSharedSecret(ephemeral.privateKey, parsePublicKey(recipient), context),
    info,
  );
  const cipher = createCipheriv(AEAD, key, nonce, { authTagLength: TAG_BYTES });
  key.fill(0);
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return { encapsulatedKey, ciphertext };
}

/**
 * Opens a ciphertext that was encrypted to `privateKey` (X25519; RFC 9180, 6.1). The caller clears the result.
 *
 * @throws HpkeError HPKE_OPEN_FAILED, HPKE_KEY_INVALID
 */
export function openWith(
  privateKey: KeyObject,
  { encapsulatedKey, ciphertext }: Encrypted,
  { info, aad }: Binding,
): Uint8Array<ArrayBuffer> {
  if (ciphertext.length < TAG_BYTES)
    throw new HpkeError(
      'HPKE_OPEN_FAILED',
      `expected a ciphertext of at least ${TAG_BYTES} bytes, found ${ciphertext.length}`,
    );
  const context = Buffer.concat([encapsulatedKey, exportPublicKey(createPublicKey(privateKey))]);
  const { key, nonce } = deriveKeys(
    deriveSharedSecret(privateKey, parsePublicKey(encapsulatedKey), context),
    info,
  );
  const decipher = createDecipheriv(AEAD, key, nonce, { authTagLength: TAG_BYTES });
  key.fill(0);
  const length = ciphertext.length - TAG_BYTES;
  decipher.setAuthTag(ciphertext.subarray(length));
  decipher.setAAD(aad, { plaintextLength: length });
  const unverified = decipher.update(ciphertext.subarray(0, length));
  try {
    decipher.final();
    return new Uint8Array(unverified);
  } catch (cause) {
    throw new HpkeError('HPKE_OPEN_FAILED', 'not made for this key and purpose', {}, cause);
  } finally {
    unverified.fill(0);
  }
}
