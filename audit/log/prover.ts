import type { Frontier } from './frontier.ts';
import { assertTreeSize, hashEmptyTree, hashNode, hasSubtree } from './hash.ts';

/**
 * Reads the root of a perfect subtree: of the leaves from index * 2^level on, 2^level of them. createHashReader reads them
 * from tiles.
 */
export type ReadHash = (level: number, index: number) => Promise<Uint8Array>;

/**
 * Proves that a leaf is in a tree. RFC 6962, 2.1.1.
 *
 * @returns hashes from the leaf's sibling up
 */
export async function proveInclusion(index: number, size: number, readHash: ReadHash): Promise<Uint8Array[]> {
  assertTreeSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new RangeError('the index is not below the size of the tree');
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      proof.push(await readRange(middle, end, readHash));
      end = middle;
    } else {
      proof.push(await readRange(start, middle, readHash));
      start = middle;
    }
  }
  return proof.reverse();
}

/** Proves that a tree begins with the leaves of an older one. RFC 6962, 2.1.2: empty for an older size of 0, or the same. */
export async function proveConsistency(
  olderSize: number,
  size: number,
  readHash: ReadHash,
): Promise<Uint8Array[]> {
  assertTreeSize(size);
  assertTreeSize(olderSize);
  if (olderSize > size) throw new RangeError('the older tree is the larger one');
  if (olderSize === 0 || olderSize === size) return [];
  const proof: Uint8Array[] = [];
  let [start, end] = [0, size];
  while (olderSize !== end) {
    const middle = start + splitOf(end - start);
    if (olderSize <= middle) {
      proof.push(await readRange(middle, end, readHash));
      end = middle;
    } else {
      proof.push(await readRange(start, middle, readHash));
      start = middle;
    }
  }
  // A tree that starts at leaf 0 is the older tree itself, whose root the verifier has.
  if (start !== 0) proof.push(await readRange(start, end, readHash));
  return proof.reverse();
}

/** Reads the root of a tree. */
export async function readRoot(size: number, readHash: ReadHash): Promise<Uint8Array> {
  assertTreeSize(size);
  return size === 0 ? hashEmptyTree() : readRange(0, size, readHash);
}

/** Reads the frontier of a tree. */
export async function readFrontier(size: number, readHash: ReadHash): Promise<Frontier> {
  assertTreeSize(size);
  return { size, hashes: await readSubtrees(0, size, readHash) };
}

/** Largest power of two below a number of leaves: where RFC 6962 splits a tree. */
function splitOf(leaves: number): number {
  let split = 1;
  while (split * 2 < leaves) split *= 2;
  return split;
}

/** Root of the leaves from start to end; start is where a subtree of RFC 6962 starts. */
async function readRange(start: number, end: number, readHash: ReadHash): Promise<Uint8Array> {
  return (await readSubtrees(start, end, readHash)).reduceRight((right, left) => hashNode(left, right));
}

/** Roots of the perfect subtrees of a range, the largest first. */
async function readSubtrees(start: number, end: number, readHash: ReadHash): Promise<Uint8Array[]> {
  const leaves = end - start;
  const hashes: Uint8Array[] = [];
  let from = start;
  for (let level = Math.floor(Math.log2(Math.max(leaves, 1))) + 1; level >= 0; level -= 1) {
    if (!hasSubtree(leaves, level)) continue;
    hashes.push(await readHash(level, from / 2 ** level));
    from += 2 ** level;
  }
  return hashes;
}
