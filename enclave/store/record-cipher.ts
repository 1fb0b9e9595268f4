import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { deriveNodeSecret, type NodePlace } from '../node/node-keys.ts';

/** The place of a record and the number of the write, both bound to the ciphertext. */
export interface RecordPlace {
  readonly table: string;
  readonly id: string;
  /** Number of the write of this record, from 1. */
  readonly revision: number;
}

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;
/** Bytes that a seal adds to a plaintext: version, nonce and tag. */
export const SEAL_BYTES = HEADER_BYTES + TAG_BYTES;

/**
 * Derives the key of a node's sealed store: HKDF-SHA-384 (RFC 5869) of the Encryptor Master Password. The key depends
 * on namespace, environment and node and not on the whole manifest, so that the store outlives a change of authorities.
 */
export function deriveStoreKey(password: Uint8Array, place: NodePlace): KeyObject {
  const bytes = deriveNodeSecret(password, 'holdfast sealed store', place);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/**
 * Seals a record by AES-256-GCM with a random nonce: version ‖ nonce ‖ ciphertext ‖ tag. Random nonces bear 2^32
 * records under one key (NIST SP 800-38D section 8.3); a store holds thousands and writes them rarely.
 */
export function sealRecord(key: KeyObject, place: RecordPlace, plaintext: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associatedData(place));
  return new Uint8Array(
    Buffer.concat([
      Uint8Array.of(FORMAT),
      nonce,
      cipher.update(plaintext),
      cipher.final(),
      cipher.getAuthTag(),
    ]),
  );
}

/** Opens a record; undefined when it is not the one sealed for this place. The caller clears the plaintext. */
export function openRecord(key: KeyObject, place: RecordPlace, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < SEAL_BYTES || sealed[0] !== FORMAT) return undefined;
  const nonce = sealed.subarray(1, HEADER_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(associatedData(place))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  const plaintext = decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES));
  try {
    decipher.final();
  } catch {
    plaintext.fill(0);
    return undefined;
  }
  // Memory of its own: a slice of Buffer's pool would pass its bytes on to a later allocation.
  const result = new Uint8Array(plaintext);
  plaintext.fill(0);
  return result;
}

function associatedData({ table, id, revision }: RecordPlace): Uint8Array {
  return encodeCbor(['holdfast sealed record', FORMAT, table, id, revision]);
}
