import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { LogError } from './errors.ts';

/** Signature types of C2SP signed-note that a log and its witnesses use, each with the length of its public key. */
export const KEY_TYPES = {
  /** Signature over the text of a note: a log's. */
  ed25519: { byte: 0x01, publicKeyBytes: 32, signatureBytes: 64 },
  /** Timestamped cosignature, cosignature/v1: a witness's. */
  'cosignature-ed25519': { byte: 0x04, publicKeyBytes: 32, signatureBytes: 64 },
  /** Timestamped cosignature, subtree/v1: a witness's, or a log's. */
  'cosignature-ml-dsa-44': { byte: 0x06, publicKeyBytes: 1312, signatureBytes: 2420 },
} as const;
export type KeyType = keyof typeof KEY_TYPES;

/** Types of keys that a witness may have, and those that a log may have. */
export const WITNESS_KEY_TYPES: readonly KeyType[] = ['cosignature-ed25519', 'cosignature-ml-dsa-44'];
export const LOG_KEY_TYPES: readonly KeyType[] = ['ed25519', 'cosignature-ml-dsa-44'];

/** Of a verifier key in characters: an ML-DSA-44 key has 1,780 beside its name. */
export const MAX_VERIFIER_KEY_LENGTH = 2_304;

/** Public key of a log or a witness under its name. C2SP signed-note, "Verifier keys". */
export interface VerifierKey {
  readonly name: string;
  readonly type: KeyType;
  /** First four bytes of SHA-256(name || LF || type || public key), big-endian. */
  readonly id: number;
  readonly publicKey: Uint8Array;
}

/** Tells whether a text may be the name of a key: not empty, neither white space nor plus, no control characters. */
export function isKeyName(name: string): boolean {
  return /^[^\p{White_Space}\p{Cc}+]+$/u.test(name) && name.isWellFormed();
}

/** Creates a verifier key from its parts. @throws RangeError for an impossible name or length */
export function createVerifierKey(name: string, type: KeyType, publicKey: Uint8Array): VerifierKey {
  const { byte, publicKeyBytes } = KEY_TYPES[type];
  if (!isKeyName(name)) throw new RangeError('a key name is not empty and has neither white space nor plus');
  if (publicKey.length !== publicKeyBytes) throw new RangeError(`a public key of ${publicKeyBytes} bytes`);
  const digest = sha256(concatBytes(utf8ToBytes(`${name}\n`), Uint8Array.of(byte), publicKey));
  return { name, type, id: new DataView(digest.buffer, digest.byteOffset).getUint32(0), publicKey };
}

/** Formats a key as a vkey: name+hex(id)+base64(type || public key). */
export function formatVerifierKey({ name, type, id, publicKey }: VerifierKey): string {
  const encoded = encodeBase64(concatBytes(Uint8Array.of(KEY_TYPES[type].byte), publicKey));
  return `${name}+${id.toString(16).padStart(8, '0')}+${encoded}`;
}

/**
 * Parses a vkey of one of the types that its place allows. The id must be the one that the name and the key give.
 *
 * @throws LogError VERIFIER_KEY_MALFORMED
 */
export function parseVerifierKey(text: string, allowed: readonly KeyType[]): VerifierKey {
  if (text.length > MAX_VERIFIER_KEY_LENGTH) throw malformed('the verifier key is too long');
  const [, name = '', id, encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? [];
  const [byte, ...publicKey] = decodeBase64(encoded) ?? [];
  const type = allowed.find((one) => KEY_TYPES[one].byte === byte);
  if (!isKeyName(name)) throw malformed('expected name+id+key, the id as eight hex digits');
  if (type === undefined) throw malformed(`expected a key of type ${allowed.join(' or ')}, in base64`);
  if (publicKey.length !== KEY_TYPES[type].publicKeyBytes)
    throw malformed('the public key has another length');
  const key = createVerifierKey(name, type, Uint8Array.from(publicKey));
  if (key.id.toString(16).padStart(8, '0') !== id) throw malformed('the id is not that of this name and key');
  return key;
}

function malformed(message: string): LogError {
  return new LogError('VERIFIER_KEY_MALFORMED', message);
}

/** Verifies a signature by the algorithm of the key: Ed25519 (RFC 8032), or ML-DSA-44 with an empty context (FIPS 204). */
export type VerifySignature = (key: VerifierKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** Private key in the hands of its owner. */
export interface SigningKey {
  readonly key: VerifierKey;
  /** Signs by the algorithm of the key. */
  sign(message: Uint8Array): Uint8Array;
}
