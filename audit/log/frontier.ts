import { LogError } from './errors.ts';
import { HASH_BYTES, hashEmptyTree, hashNode, hashPairs, hasSubtree, MAX_TREE_SIZE } from './hash.ts';

/** Bytes of the size before the hashes of an encoded frontier. */
const SIZE_BYTES = 8;
/** Of an encoded frontier: the largest size has 53 bits. */
export const MAX_FRONTIER_BYTES = SIZE_BYTES + 53 * HASH_BYTES;

/**
 * All that is needed of a tree to go on appending to it: the roots of the perfect subtrees that make it up, one for each
 * set bit of its size.
 */
export interface Frontier {
  /** Number of leaves. */
  readonly size: number;
  /** Roots of the perfect subtrees, the largest (leftmost) first. */
  readonly hashes: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = Object.freeze({ size: 0, hashes: Object.freeze([]) });

/** Nodes that became complete at one level of the tree; level 0 holds the leaves. */
export interface CompletedNodes {
  readonly level: number;
  /** Index of the first of them at this level. */
  readonly first: number;
  readonly hashes: readonly Uint8Array[];
}

/** Outcome of an append. */
export interface Append {
  readonly frontier: Frontier;
  /** Root of the tree with the batch. */
  readonly root: Uint8Array;
  /** Nodes that the batch completed, by level from 0 on: what the tiles gain. */
  readonly completed: readonly CompletedNodes[];
  /**
   * Proves that a leaf of this batch is in the tree with the batch. RFC 6962, 2.1.1.
   *
   * @param index of the leaf in the tree
   * @returns hashes from the leaf's sibling up
   * @throws RangeError for a leaf that is not of this batch
   */
  proveInclusion(index: number): Uint8Array[];
}

/**
 * Appends a batch of leaves. Needs the frontier alone, however large the tree is.
 *
 * @param leaves hashes of the entries, from hashLeaf
 * @throws RangeError for a tree of more than 2^53 - 1 leaves, or a hash that is none
 */
export function appendLeaves(frontier: Frontier, leaves: readonly Uint8Array[]): Append {
  const { size } = frontier;
  const newSize = size + leaves.length;
  if (newSize > MAX_TREE_SIZE) throw new RangeError('the tree is full');
  for (const leaf of leaves) {
    if (leaf.length !== HASH_BYTES) throw new RangeError('a leaf is given as its hash of 32 bytes');
  }
  const known = growLevels(frontier, leaves, newSize);
  const edge = rightEdge(frontier, known, newSize);
  return {
    frontier: { size: newSize, hashes: edge.toReversed().filter((hash) => hash !== undefined) },
    root: foldEdge(edge, edge.length) ?? hashEmptyTree(),
    completed: known
      .map(({ first, hashes }, level) => {
        const start = Math.floor(size / 2 ** level);
        return { level, first: start, hashes: hashes.slice(start - first) };
      })
      .filter(({ hashes }) => hashes.length > 0),
    proveInclusion(index) {
      if (!Number.isSafeInteger(index) || index < size || index >= newSize)
        throw new RangeError('the leaf is not of this batch');
      return collectSiblings(known, edge, index, newSize);
    },
  };
}

/** Complete nodes that are known at one level. */
interface KnownNodes {
  readonly first: number;
  readonly hashes: Uint8Array[];
}

/**
 * Computes the complete nodes of each level that lie above the batch. At a level whose bit is set in the old size, the
 * first of them is the left sibling that the frontier holds.
 */
function growLevels(frontier: Frontier, leaves: readonly Uint8Array[], newSize: number): KnownNodes[] {
  const levels: KnownNodes[] = [];
  let fresh = [...leaves];
  for (let level = 0; 2 ** level <= newSize; level += 1) {
    const start = Math.floor(frontier.size / 2 ** level);
    const left = hasSubtree(frontier.size, level) ? [frontierHash(frontier, level)] : [];
    const hashes = [...left, ...fresh];
    levels.push({ first: start - left.length, hashes });
    fresh = hashPairs(hashes);
  }
  return levels;
}

/** The root of the perfect subtree at a level whose bit is set in the size: larger ones come before it. */
function frontierHash({ size, hashes }: Frontier, level: number): Uint8Array {
  let larger = 0;
  for (let higher = level + 1; 2 ** higher <= size; higher += 1) larger += hasSubtree(size, higher) ? 1 : 0;
  const hash = hashes[larger];
  if (hash === undefined) throw new RangeError('the frontier has fewer hashes than its size has set bits');
  return hash;
}

/** Roots of the perfect subtrees of the new tree by level; undefined where the new size has no bit. */
function rightEdge(
  frontier: Frontier,
  known: readonly KnownNodes[],
  newSize: number,
): (Uint8Array | undefined)[] {
  const edge: (Uint8Array | undefined)[] = [];
  for (let level = 0; 2 ** level <= newSize; level += 1) {
    if (!hasSubtree(newSize, level)) edge.push(undefined);
    else edge.push(known[level]?.hashes.at(-1) ?? frontierHash(frontier, level));
  }
  return edge;
}

/** Root of the leaves in the subtrees below `level` of the right edge; undefined where there are none. */
function foldEdge(edge: readonly (Uint8Array | undefined)[], level: number): Uint8Array | undefined {
  let root: Uint8Array | undefined;
  for (const hash of edge.slice(0, level)) {
    if (hash !== undefined) root = root === undefined ? hash : hashNode(hash, root);
  }
  return root;
}

function collectSiblings(
  known: readonly KnownNodes[],
  edge: readonly (Uint8Array | undefined)[],
  index: number,
  size: number,
): Uint8Array[] {
  const proof: Uint8Array[] = [];
  for (let level = 0; 2 ** level < size; level += 1) {
    const node = Math.floor(index / 2 ** level);
    const sibling = node % 2 === 0 ? node + 1 : node - 1;
    const complete = Math.floor(size / 2 ** level);
    // The sibling at the right end may be a tree of fewer leaves than its level could hold, or have none at all.
    const nodes = known[level];
    let hash: Uint8Array | undefined;
    if (sibling < complete) hash = nodes?.hashes[sibling - nodes.first];
    else if (sibling === complete) hash = foldEdge(edge, level);
    if (hash !== undefined) proof.push(hash);
  }
  return proof;
}

/** Computes the root of a tree from its frontier. */
export function frontierRoot({ hashes }: Frontier): Uint8Array {
  return foldEdge(hashes.toReversed(), hashes.length) ?? hashEmptyTree();
}

/** Encodes a frontier: u64be size, then the hashes, the largest subtree's first. */
export function encodeFrontier({ size, hashes }: Frontier): Uint8Array {
  const bytes = new Uint8Array(SIZE_BYTES + hashes.length * HASH_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size));
  for (const [index, hash] of hashes.entries()) bytes.set(hash, SIZE_BYTES + index * HASH_BYTES);
  return bytes;
}

/**
 * Decodes what encodeFrontier has encoded.
 *
 * @throws LogError FRONTIER_MALFORMED
 */
export function decodeFrontier(bytes: Uint8Array): Frontier {
  if (bytes.length < SIZE_BYTES || bytes.length > MAX_FRONTIER_BYTES) throw malformed();
  const size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
  if (!Number.isSafeInteger(size)) throw malformed();
  let expected = 0;
  for (let level = 0; 2 ** level <= size; level += 1) expected += hasSubtree(size, level) ? 1 : 0;
  if (bytes.length !== SIZE_BYTES + expected * HASH_BYTES) throw malformed();
  const hashes = Array.from({ length: expected }, (_, index) =>
    bytes.slice(SIZE_BYTES + index * HASH_BYTES, SIZE_BYTES + (index + 1) * HASH_BYTES),
  );
  return { size, hashes };
}

function malformed(): LogError {
  return new LogError('FRONTIER_MALFORMED', 'expected a size and one hash for each of its set bits');
}
