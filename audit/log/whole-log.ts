import { concatBytes } from '@noble/hashes/utils.js';
import { equalBytes } from '../../attestation/bytes.ts';
import { LogError } from './errors.ts';
import { appendLeaves, EMPTY_FRONTIER, type Frontier, frontierRoot } from './frontier.ts';
import { hashLeaf } from './hash.ts';
import type { TreeHead } from './proofs.ts';
import { listTileGains, type ReadTile, TILE_WIDTH, type TileGain, tilePath, tileWidth } from './tiles.ts';

/** Reads the entries of a bundle, exactly as many as `width`. Nobody has verified them. */
export type ReadEntries = (index: number, width: number) => Promise<readonly Uint8Array[]>;

export interface WholeLogReader {
  readonly readEntries: ReadEntries;
  readonly readTile: ReadTile;
  /** Called with each entry in order, once its hash is in the tile of its place. */
  readonly onEntry: (index: number, entry: Uint8Array) => void;
}

/**
 * Verifies all entries and all tiles of a log against a checkpoint, and that the log begins with the tree of an earlier
 * one. Reads each resource once, in order, and holds a bundle and one tile a level.
 *
 * @throws LogError TILE_MALFORMED, TILE_MISMATCH (detail `path`), LOG_ROOT_MISMATCH, LOG_INCONSISTENT
 */
export async function verifyWholeLog(
  tree: TreeHead,
  { readEntries, readTile, onEntry }: WholeLogReader,
  earlier?: TreeHead,
): Promise<void> {
  if (earlier !== undefined && earlier.size > tree.size) throw shrunk(earlier.size, tree.size);
  let frontier: Frontier = EMPTY_FRONTIER;
  const open = new Map<number, TileGain>();
  if (earlier?.size === 0) assertEarlier(frontier, earlier);
  while (frontier.size < tree.size) {
    const first = frontier.size;
    const index = first / TILE_WIDTH;
    const entries = await readEntries(index, tileWidth('entries', index, tree.size));
    const leaves = entries.map(hashLeaf);
    const split = (earlier?.size ?? 0) - first;
    if (earlier !== undefined && split > 0 && split <= leaves.length)
      assertEarlier(appendLeaves(frontier, leaves.slice(0, split)).frontier, earlier);
    const append = appendLeaves(frontier, leaves);
    frontier = append.frontier;
    for (const gain of listTileGains(append.completed)) {
      const before = open.get(gain.level);
      const hashes = before?.index === gain.index ? [...before.hashes, ...gain.hashes] : gain.hashes;
      const tile = { ...gain, hashes };
      if (hashes.length < TILE_WIDTH) open.set(gain.level, tile);
      else {
        open.delete(gain.level);
        await assertTile(tile, readTile);
      }
    }
    // Level 0 of the last bundle is still open: its tile is compared before any of its entries is believed.
    const last = open.get(0);
    if (last !== undefined) await assertTile(last, readTile);
    open.delete(0);
    for (const [offset, entry] of entries.entries()) onEntry(first + offset, entry);
  }
  for (const tile of open.values()) await assertTile(tile, readTile);
  if (!equalBytes(frontierRoot(frontier), tree.root))
    throw new LogError('LOG_ROOT_MISMATCH', 'the entries have another root than the checkpoint');
}

async function assertTile({ level, index, hashes }: TileGain, readTile: ReadTile): Promise<void> {
  const address = { level, index, width: hashes.length };
  if (!equalBytes(await readTile(address), concatBytes(...hashes)))
    throw new LogError('TILE_MISMATCH', 'the tile has other hashes than the entries', {
      path: tilePath(address),
    });
}

function assertEarlier(frontier: Frontier, earlier: TreeHead): void {
  if (!equalBytes(frontierRoot(frontier), earlier.root)) {
    throw new LogError('LOG_INCONSISTENT', 'the log does not begin with the tree of the earlier checkpoint', {
      size: earlier.size,
    });
  }
}

function shrunk(expected: number, actual: number): LogError {
  return new LogError('LOG_INCONSISTENT', 'the log is smaller than the earlier checkpoint', {
    expected,
    actual,
  });
}
