import { createHash } from 'node:crypto';
import { type CanonicalJson, encodeCanonicalJson } from '../json/index.ts';
import type { Encrypted } from '../hpke/index.ts';
import type { BackupHead, PublicEntry } from './statement.ts';

const INFO_LABEL = Buffer.from('holdfast-backup/1\0');
/** Length of HPKE's encapsulated key (X25519). */
export const ENCAPSULATED_KEY_BYTES = 32;

/** Encodes HPKE's `info`: node, boot, recovery key, configuration, time and place in the log. */
export function encodeBackupInfo(head: BackupHead): Buffer {
  return Buffer.concat([INFO_LABEL, encodeCanonicalJson(head)]);
}

/** Encodes HPKE's `aad`: all that is public of what the ciphertext holds. */
export function encodeBackupAad(entry: PublicEntry): Uint8Array<ArrayBuffer> {
  return encodeCanonicalJson(entry);
}

/** Joins the parts of a ciphertext as a backup holds it. */
export function joinCiphertext({ encapsulatedKey, ciphertext }: Encrypted): Buffer {
  return Buffer.concat([encapsulatedKey, ciphertext]);
}

/** Parts a ciphertext of a backup. */
export function partCiphertext(bytes: Uint8Array): Encrypted {
  return {
    encapsulatedKey: bytes.subarray(0, ENCAPSULATED_KEY_BYTES),
    ciphertext: bytes.subarray(ENCAPSULATED_KEY_BYTES),
  };
}

/** Computes the SHA-384 in hex by which statements, proofs, log and acknowledgements name bytes. */
export function sha384Hex(bytes: Uint8Array): string {
  return createHash('sha384').update(bytes).digest('hex');
}

/** Encodes the user_data of the attestation document that vouches for a statement. */
export function encodeBackupProof(statement: Uint8Array): Buffer {
  return Buffer.from(JSON.stringify({ format: 'holdfast-backup-proof/1', statement: sha384Hex(statement) }));
}
