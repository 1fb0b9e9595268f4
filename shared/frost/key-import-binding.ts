import type { ShareType } from '../algorithms.ts';
import type { ShareDestination } from './share-binding.ts';

/*
 * Encodings of what the ciphertext of a whole key is bound to (HPKE's info and aad), each part of fixed length or at the
 * end. Their labels differ from those of a share, so that neither opens as the other.
 */
const INFO_LABEL = Buffer.from('holdfast-key-import/1\0');
const KEY_LABEL = Buffer.from('holdfast-imported-key/1\0');

/** A key that is imported: the type of the shares that it is split into, and its public key. */
export interface ImportedKey {
  readonly type: ShareType;
  /** As the group serialises it: 32 bytes, or 33 (compressed SEC1). */
  readonly publicKey: Uint8Array;
}

/** Encodes HPKE's `info`: the node, boot and key that a whole key is meant for. */
export function encodeKeyDestination({ manifest, session, key }: ShareDestination): Buffer {
  if (manifest.length !== 48 || !/^[0-9a-f]{32}$/.test(session))
    throw new RangeError('expected a manifest digest of 48 bytes and a session of 32 hex digits');
  return Buffer.concat([INFO_LABEL, manifest, Buffer.from(session, 'hex'), Buffer.from(key)]);
}

/** Encodes HPKE's `aad`: the public part of a key that is imported. */
export function encodeImportedKey({ type, publicKey }: ImportedKey): Buffer {
  return Buffer.concat([KEY_LABEL, Buffer.from(`${type}\0`), publicKey]);
}
