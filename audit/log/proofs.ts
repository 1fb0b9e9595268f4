import { equalBytes } from '../../attestation/bytes.ts';
import { LogError } from './errors.ts';
import { assertTreeSize, hashEmptyTree, hashNode } from './hash.ts';

/** Of the hashes in one proof; the largest tree has 53 levels, the formats allow 63. */
export const MAX_PROOF_HASHES = 63;

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** Tree as its checkpoint states it. */
export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/**
 * Verifies that a leaf is in a tree. RFC 9162, 2.1.3.2; the proof has exactly the hashes that index and size give it.
 *
 * @param leaf hash of the entry, from hashLeaf
 * @param proof hashes from the leaf's sibling up
 * @throws LogError INCLUSION_PROOF_INVALID
 */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  tree: TreeHead,
  proof: readonly Uint8Array[],
): void {
  assertTreeSize(index);
  assertTreeSize(tree.size);
  if (index >= tree.size) throw noInclusion('the index is not below the size of the tree');
  let [node, last, root] = [index, tree.size - 1, leaf];
  for (const hash of proof) {
    if (last === 0) throw noInclusion('the proof has too many hashes');
    if (isOdd(node) || node === last) {
      root = hashNode(hash, root);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      root = hashNode(root, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw noInclusion('the proof has too few hashes');
  if (!equalBytes(root, tree.root)) throw noInclusion('the proof leads to another root');
}

function noInclusion(message: string): LogError {
  return new LogError('INCLUSION_PROOF_INVALID', message);
}

/**
 * Verifies that a tree begins with all leaves of an older one, in their order. RFC 9162, 2.1.4.2; the proof is empty where
 * the older tree is, or is as large: then the roots are the same.
 *
 * @throws LogError CONSISTENCY_PROOF_INVALID
 */
export function verifyConsistency(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): void {
  assertTreeSize(older.size);
  assertTreeSize(newer.size);
  if (older.size > newer.size) throw inconsistent('the newer tree is the smaller one');
  if (older.size === 0 || older.size === newer.size) {
    if (proof.length > 0) throw inconsistent('no proof is needed, and there is one');
    const expected = older.size === newer.size ? newer.root : hashEmptyTree();
    if (!equalBytes(older.root, expected)) throw inconsistent('trees of one size have different roots');
    if (newer.size === 0 && !equalBytes(newer.root, hashEmptyTree()))
      throw inconsistent('the root of an empty tree is not the empty hash');
    return;
  }
  let [node, last] = [older.size - 1, newer.size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  // An older tree of 2^n leaves is a node of the newer one, and the proof leaves its root out.
  const path = node === 0 ? [older.root, ...proof] : proof;
  const [start, ...others] = path;
  if (start === undefined || proof.length === 0) throw inconsistent('the proof is empty');
  let [olderRoot, newerRoot] = [start, start];
  for (const hash of others) {
    if (last === 0) throw inconsistent('the proof has too many hashes');
    if (isOdd(node) || node === last) {
      olderRoot = hashNode(hash, olderRoot);
      newerRoot = hashNode(hash, newerRoot);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newerRoot = hashNode(newerRoot, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) throw inconsistent('the proof has too few hashes');
  if (!equalBytes(olderRoot, older.root)) throw inconsistent('the proof leads to another older root');
  if (!equalBytes(newerRoot, newer.root)) throw inconsistent('the proof leads to another newer root');
}

function inconsistent(message: string): LogError {
  return new LogError('CONSISTENCY_PROOF_INVALID', message);
}
