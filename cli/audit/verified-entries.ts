import {
  createHashReader,
  hashLeaf,
  LogError,
  proveInclusion,
  type ReadHash,
  TILE_WIDTH,
  type TreeHead,
  tileWidth,
  verifyInclusion,
} from '../../audit/log/index.ts';
import type { LogSource } from './log-source.ts';

/** Reads the entries from `start` to `end`, each proven to be in the tree before it is given. @throws LogError */
export async function* readVerifiedEntries(
  source: LogSource,
  tree: TreeHead,
  start: number,
  end: number,
): AsyncGenerator<{ index: number; entry: Uint8Array }> {
  const readEntries = source.openEntries(tree.size);
  const readHash: ReadHash = createHashReader(tree.size, source.readTile);
  for (let bundle = Math.floor(start / TILE_WIDTH); bundle * TILE_WIDTH < end; bundle += 1) {
    const entries = await readEntries(bundle, tileWidth('entries', bundle, tree.size));
    for (const [offset, entry] of entries.entries()) {
      const index = bundle * TILE_WIDTH + offset;
      if (index < start || index >= end) continue;
      verifyInclusion(hashLeaf(entry), index, tree, await proveInclusion(index, tree.size, readHash));
      yield { index, entry };
    }
  }
}

/** Asserts that a range lies in a tree. @throws LogError LOG_INCONSISTENT */
export function assertWithin(size: number, index: number): void {
  if (index > size)
    throw new LogError('LOG_INCONSISTENT', 'the log is smaller than that', { expected: index, actual: size });
}
