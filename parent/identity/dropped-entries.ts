import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEntryBundle, LogError, TILE_WIDTH, tilePath } from '../../audit/log/index.ts';
import type { ReadDropped } from './identity.ts';

/** Creates a reader of entries in the full bundles of a log's folder; one without a folder finds nothing. */
export function createDroppedReader(directory: string | undefined): ReadDropped {
  return async (index) => {
    if (directory === undefined) return undefined;
    const bundle = Math.floor(index / TILE_WIDTH);
    try {
      const bytes = await readFile(
        join(directory, tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH })),
      );
      return decodeEntryBundle(bytes, TILE_WIDTH)[index % TILE_WIDTH];
    } catch (error) {
      if (
        error instanceof LogError ||
        (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      ) {
        return undefined;
      }
      throw error;
    }
  };
}
