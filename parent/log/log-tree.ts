import {
  appendLeaves,
  createHashReader,
  decodeTile,
  encodeBundledEntry,
  type Frontier,
  frontierRoot,
  listTileGains,
  proveConsistency,
  readFrontier,
  type TileAddress,
  tileWidth,
  TILE_WIDTH,
} from '../../audit/log/index.ts';
import { hashLeafByNode } from '../../audit/log/node-hash.ts';

type HashTile = TileAddress & { readonly level: number };

/** A tile that has just become full. */
export interface FullTile {
  readonly tile: TileAddress;
  readonly bytes: Uint8Array;
}

/**
 * The right edge of a log's tree: the frontier, and the tile of each level that is not full. Memory does not depend on
 * how many entries there are.
 */
export class LogTree {
  readonly #readFull: (tile: HashTile) => Promise<Uint8Array>;
  #frontier: Frontier;
  /** Hashes of the tile of each level that is not full. */
  readonly #edge: Uint8Array[][];
  /** Entries of the bundle that is not full, each with its length before it. */
  #bundle: Uint8Array[] = [];

  private constructor(
    frontier: Frontier,
    edge: Uint8Array[][],
    readFull: (tile: HashTile) => Promise<Uint8Array>,
  ) {
    this.#frontier = frontier;
    this.#edge = edge;
    this.#readFull = readFull;
  }

  /**
   * Opens the tree of a size that is a multiple of {@link TILE_WIDTH}.
   *
   * @param readTile reads a tile, full or partial, as it was written for that size
   */
  static async open(size: number, readTile: (tile: HashTile) => Promise<Uint8Array>): Promise<LogTree> {
    const readHash = createHashReader(size, readTile);
    const edge: Uint8Array[][] = [];
    for (let level = 0; tileWidth(level, 0, size) > 0; level += 1) {
      const nodes = Math.floor(size / TILE_WIDTH ** level);
      const index = Math.floor(nodes / TILE_WIDTH);
      const width = nodes % TILE_WIDTH;
      edge.push(width === 0 ? [] : decodeTile(await readTile({ level, index, width }), width));
    }
    return new LogTree(await readFrontier(size, readHash), edge, readTile);
  }

  get size(): number {
    return this.#frontier.size;
  }

  get root(): Uint8Array {
    return frontierRoot(this.#frontier);
  }

  /** Appends entries up to the end of a bundle at most, and returns the tiles that have become full. */
  append(entries: readonly Uint8Array[]): FullTile[] {
    if (this.#bundle.length + entries.length > TILE_WIDTH) throw new RangeError('entries of two bundles');
    const { frontier, completed } = appendLeaves(this.#frontier, entries.map(hashLeafByNode));
    const bundle = Math.floor(this.size / TILE_WIDTH);
    this.#frontier = frontier;
    this.#bundle.push(...entries.map(encodeBundledEntry));
    const full: FullTile[] = [];
    if (this.#bundle.length === TILE_WIDTH) {
      full.push({
        tile: { level: 'entries', index: bundle, width: TILE_WIDTH },
        bytes: concatenate(this.#bundle),
      });
      this.#bundle = [];
    }
    for (const { level, index, hashes } of listTileGains(completed)) {
      const edge = (this.#edge[level] ??= []);
      edge.push(...hashes);
      if (edge.length < TILE_WIDTH) continue;
      full.push({ tile: { level, index, width: TILE_WIDTH }, bytes: concatenate(edge) });
      this.#edge[level] = [];
    }
    return full;
  }

  /** Lists the partial tiles of the tree of a size: those that are full by now are left out. */
  partialTiles(size: number): FullTile[] {
    const tiles: FullTile[] = [];
    const entries = size % TILE_WIDTH;
    const bundle = Math.floor(size / TILE_WIDTH);
    if (entries > 0 && bundle === Math.floor(this.size / TILE_WIDTH)) {
      const bytes = concatenate(this.#bundle.slice(0, entries));
      tiles.push({ tile: { level: 'entries', index: bundle, width: entries }, bytes });
    }
    for (const [level, edge] of this.#edge.entries()) {
      const nodes = Math.floor(size / TILE_WIDTH ** level);
      const [index, width] = [Math.floor(nodes / TILE_WIDTH), nodes % TILE_WIDTH];
      if (width === 0 || index !== this.#edgeIndex(level)) continue;
      tiles.push({ tile: { level, index, width }, bytes: concatenate(edge.slice(0, width)) });
    }
    return tiles;
  }

  /** Proves that the tree of a size extends an older one (RFC 6962, 2.1.2). */
  async proveConsistency(older: number, size: number): Promise<Uint8Array[]> {
    const readHash = createHashReader(size, (tile) => this.#readTile(tile));
    return await proveConsistency(older, size, readHash);
  }

  #edgeIndex(level: number): number {
    return Math.floor(Math.floor(this.size / TILE_WIDTH ** level) / TILE_WIDTH);
  }

  async #readTile({ level, index, width }: HashTile): Promise<Uint8Array> {
    if (index === this.#edgeIndex(level)) return concatenate((this.#edge[level] ?? []).slice(0, width));
    // A tile that was partial in an older tree may be full by now.
    const bytes = await this.#readFull({ level, index, width: TILE_WIDTH });
    return bytes.subarray(0, width * 32);
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
