import { sha256 } from '@noble/hashes/sha2.js';

/** Length of every hash of the tree, SHA-256. */
export const HASH_BYTES = 32;
/** Largest entry: its length is a u16 in an entry bundle. C2SP tlog-tiles. */
export const MAX_ENTRY_BYTES = 65_535;
/** Largest tree: sizes are exact integers of JavaScript. */
export const MAX_TREE_SIZE = Number.MAX_SAFE_INTEGER;

/** Computes the root of a tree without entries: SHA-256 of nothing. RFC 6962, 2.1. */
export function hashEmptyTree(): Uint8Array {
  return sha256(new Uint8Array());
}

/**
 * Hashes an entry: SHA-256(0x00 || entry). RFC 6962, 2.1.
 *
 * @throws RangeError for an entry of more than MAX_ENTRY_BYTES
 */
export function hashLeaf(entry: Uint8Array): Uint8Array {
  if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes`);
  const bytes = new Uint8Array(1 + entry.length);
  bytes.set(entry, 1);
  return sha256(bytes);
}

/** Hashes two children: SHA-256(0x01 || left || right). RFC 6962, 2.1. */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return sha256(bytes);
}

/** Hashes the nodes of a level in pairs, from an even index on: the complete nodes of the level above. */
export function hashPairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  const parents: Uint8Array[] = [];
  for (let index = 1; index < hashes.length; index += 2) {
    const [left, right] = [hashes[index - 1], hashes[index]];
    if (left !== undefined && right !== undefined) parents.push(hashNode(left, right));
  }
  return parents;
}

/** Tells whether bit `level` of a size is set: whether a perfect subtree of 2^level leaves is on the tree's right edge. */
export function hasSubtree(size: number, level: number): boolean {
  return Math.floor(size / 2 ** level) % 2 === 1;
}

/** @throws RangeError for what is no size of a tree */
export function assertTreeSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError('a tree size is an integer from 0 to 2^53 - 1');
}
