import { createHash } from 'node:crypto';
import { MAX_ENTRY_BYTES } from './hash.ts';

const LEAF = Uint8Array.of(0);

/**
 * Hashes an entry as hashLeaf does, by Node's OpenSSL: SHA-256(0x00 || entry). RFC 6962, 2.1.
 *
 * @throws RangeError for an entry of more than MAX_ENTRY_BYTES
 */
export function hashLeafByNode(entry: Uint8Array): Uint8Array {
  if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes`);
  return new Uint8Array(createHash('sha256').update(LEAF).update(entry).digest());
}
