import { ByteReader } from './byte-reader.ts';

const MAX_DEPTH = 128;

/**
 * Tells whether bytes are the script tree of an output (PSBT_OUT_TAP_TREE, BIP-371): depth, leaf version and script of
 * each leaf, in the order of a depth-first walk of one whole binary tree.
 *
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL where a leaf is cut short
 */
export function isTapTree(value: Uint8Array): boolean {
  const reader = new ByteReader(value, 'tree of scripts');
  // Depths of the subtrees that have no sibling yet, each deeper than the one before.
  const open: number[] = [];
  while (!reader.isAtEnd) {
    let depth = reader.readU8();
    const leafVersion = reader.readU8();
    reader.readBytes();
    if (depth > MAX_DEPTH || leafVersion % 2 !== 0 || depth < (open.at(-1) ?? 0) || open[0] === 0)
      return false;
    for (; depth > 0 && open.at(-1) === depth; depth -= 1) open.pop();
    open.push(depth);
  }
  return open.length === 1 && open[0] === 0;
}
