import { type Append, appendLeaves, type Frontier } from '../../audit/log/index.ts';
import { hashLeafByNode } from '../../audit/log/node-hash.ts';

/** Entries that are to be appended, and the tree with them. */
export interface Extension {
  readonly leaves: readonly Uint8Array[];
  readonly tree: Append;
}

/**
 * The log's tree with the leaves that nothing was released for yet: from these any later tree proves an entry, which its
 * own frontier could not.
 */
export class PendingTree {
  #base: Frontier;
  #leaves: Uint8Array[] = [];
  #tip: Frontier;

  constructor(frontier: Frontier) {
    this.#base = frontier;
    this.#tip = frontier;
  }

  /** Number of entries. */
  get size(): number {
    return this.#tip.size;
  }

  /** Computes the tree with further entries, without taking them. */
  extend(entries: readonly Uint8Array[]): Extension {
    const leaves = entries.map(hashLeafByNode);
    return { leaves, tree: appendLeaves(this.#tip, leaves) };
  }

  take({ leaves, tree }: Extension): void {
    this.#tip = tree.frontier;
    this.#leaves.push(...leaves);
  }

  /** Returns the tree of a size that lies within the pending leaves. @throws RangeError for any other */
  at(size: number): Append {
    const count = size - this.#base.size;
    if (count < 0 || count > this.#leaves.length) throw new RangeError('the tree no longer has that size');
    return appendLeaves(this.#base, this.#leaves.slice(0, count));
  }

  /** Forgets the leaves before an index, of which no more proofs will be wanted. */
  settle(index: number): void {
    const count = Math.min(index, this.size) - this.#base.size;
    if (count <= 0) return;
    this.#base = count === this.#leaves.length ? this.#tip : this.at(this.#base.size + count).frontier;
    this.#leaves = this.#leaves.slice(count);
  }
}
