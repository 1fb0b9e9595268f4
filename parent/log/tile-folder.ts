import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TileAddress, tilePath, TILE_WIDTH } from '../../audit/log/index.ts';

/** Number of entries whose bundles and tiles are full and on disk, a multiple of {@link TILE_WIDTH}. */
const PROGRESS = 'progress';
const ARCHIVED = 'archived';
const CHECKPOINT = 'checkpoint';

/**
 * A log as a folder of static files: C2SP tlog-tiles. Every file appears whole, by a rename. Full tiles are on disk
 * before {@link TileFolder.saveProgress} says so; partial ones and the checkpoint are made again after a crash.
 */
export class TileFolder {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  pathOf(name: string): string {
    return join(this.#directory, name);
  }

  /** @param isLasting true where the tile must survive the loss of power: always for a full one */
  async writeTile(
    tile: TileAddress,
    bytes: Uint8Array,
    isLasting = tile.width === TILE_WIDTH,
  ): Promise<void> {
    await this.#write(tilePath(tile), bytes, isLasting);
    // The full tile takes the place of all parts of it.
    if (tile.width === TILE_WIDTH) {
      await rm(`${this.pathOf(tilePath(tile))}.p`, { recursive: true, force: true });
    }
  }

  async readTile(tile: TileAddress): Promise<Uint8Array> {
    return new Uint8Array(await readFile(this.pathOf(tilePath(tile))));
  }

  async writeCheckpoint(note: string): Promise<void> {
    await this.#write(CHECKPOINT, Buffer.from(note), false);
  }

  async readProgress(): Promise<number> {
    return await this.#readSize(PROGRESS);
  }

  async saveProgress(size: number): Promise<void> {
    await this.#write(PROGRESS, Buffer.from(`${size}\n`), true);
  }

  /** Reads how many entries the archive has, in full bundles. */
  async readArchived(): Promise<number> {
    return await this.#readSize(ARCHIVED);
  }

  async saveArchived(size: number): Promise<void> {
    await this.#write(ARCHIVED, Buffer.from(`${size}\n`), false);
  }

  async #readSize(name: string): Promise<number> {
    const text = await readFile(this.pathOf(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '0\n';
      throw error;
    });
    const size = Number(text);
    if (!Number.isSafeInteger(size) || size < 0 || size % TILE_WIDTH !== 0) {
      throw new RangeError(`expected a multiple of ${TILE_WIDTH} in ${name}`);
    }
    return size;
  }

  /** @param isLasting true where the bytes must survive the loss of power once this returns */
  async #write(name: string, bytes: Uint8Array, isLasting: boolean): Promise<void> {
    const path = this.pathOf(name);
    const folder = dirname(path);
    const temporary = `${path}.new`;
    await mkdir(folder, { recursive: true, mode: 0o755 });
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(bytes);
      if (isLasting) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    if (isLasting) await syncFolder(folder);
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
