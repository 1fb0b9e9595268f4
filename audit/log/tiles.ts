import { LogError } from './errors.ts';
import type { CompletedNodes } from './frontier.ts';
import { HASH_BYTES, hashPairs, MAX_ENTRY_BYTES, MAX_TREE_SIZE } from './hash.ts';
import type { ReadHash } from './prover.ts';

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree that one level of tiles spans. */
const TILE_HEIGHT = 8;
/** Levels that the paths may name. */
const MAX_TILE_LEVEL = 63;
/** Tiles that a reader keeps, 16 KiB each with the nodes within. */
const CACHED_TILES = 64;

/** Place of a tile, or of a bundle of entries, in a log. C2SP tlog-tiles. */
export interface TileAddress {
  /** 0 for hashes of leaves; each level above spans 8 levels of the tree. */
  readonly level: number | 'entries';
  readonly index: number;
  /** 1 to 255 for a partial tile, 256 for a full one. */
  readonly width: number;
}

/** Formats the path of a tile below the log's prefix: `tile/0/x001/x234/067`, `tile/entries/000.p/5`. */
export function tilePath({ level, index, width }: TileAddress): string {
  let last = (index % 1000).toString().padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000))
    last = `x${(rest % 1000).toString().padStart(3, '0')}/${last}`;
  return `tile/${level}/${last}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/** Parses the path of a tile; undefined for any other text, and for each but the one way to write it. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, level = '', digits = '', width] = PATH.exec(path) ?? [];
  const index = Number(digits.replaceAll(/[x/]/g, ''));
  const address = {
    level: level === 'entries' ? level : Number(level),
    index,
    width: width === undefined ? TILE_WIDTH : Number(width),
  } as const;
  if (level === '' || index > MAX_TREE_SIZE || address.width > TILE_WIDTH) return undefined;
  if (address.level !== 'entries' && address.level > MAX_TILE_LEVEL) return undefined;
  return tilePath(address) === path ? address : undefined;
}

/** Computes the width of a tile in a tree of `size` leaves: 0 where there is none. */
export function tileWidth(level: number | 'entries', index: number, size: number): number {
  const nodes = Math.floor(size / TILE_WIDTH ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(TILE_WIDTH, nodes - index * TILE_WIDTH));
}

/** Hashes that a tile gains by an append: its new bytes are those of its first `from` hashes, then these. */
export interface TileGain {
  readonly level: number;
  readonly index: number;
  /** Hashes that it had before. */
  readonly from: number;
  readonly hashes: readonly Uint8Array[];
}

/** Lists what each tile gains by an append, the lowest level first. */
export function listTileGains(completed: readonly CompletedNodes[]): TileGain[] {
  return completed
    .filter(({ level }) => level % TILE_HEIGHT === 0)
    .flatMap(({ level, first, hashes }) => {
      const gains: TileGain[] = [];
      for (let done = 0; done < hashes.length;) {
        const node = first + done;
        const from = node % TILE_WIDTH;
        const gained = hashes.slice(done, done + TILE_WIDTH - from);
        gains.push({
          level: level / TILE_HEIGHT,
          index: Math.floor(node / TILE_WIDTH),
          from,
          hashes: gained,
        });
        done += gained.length;
      }
      return gains;
    });
}

/** Encodes an entry as a bundle holds it: its length as u16be, then its bytes. */
export function encodeBundledEntry(entry: Uint8Array): Uint8Array {
  if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes`);
  const bytes = new Uint8Array(2 + entry.length);
  new DataView(bytes.buffer).setUint16(0, entry.length);
  bytes.set(entry, 2);
  return bytes;
}

/**
 * Splits a bundle into its entries.
 *
 * @param width entries that it must hold
 * @throws LogError TILE_MALFORMED
 */
export function decodeEntryBundle(bundle: Uint8Array, width: number): Uint8Array[] {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (entries.length < width) {
    if (offset + 2 > bundle.length) throw malformed('the entry bundle ends early');
    const end = offset + 2 + view.getUint16(offset);
    if (end > bundle.length) throw malformed('the entry bundle ends early');
    entries.push(bundle.subarray(offset + 2, end));
    offset = end;
  }
  if (offset !== bundle.length) throw malformed('bytes follow the last entry of the bundle');
  return entries;
}

/**
 * Splits a tile into its hashes.
 *
 * @throws LogError TILE_MALFORMED
 */
export function decodeTile(tile: Uint8Array, width: number): Uint8Array[] {
  if (tile.length !== width * HASH_BYTES) throw malformed('the tile has another length');
  return Array.from({ length: width }, (_, index) =>
    tile.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

function malformed(message: string): LogError {
  return new LogError('TILE_MALFORMED', message);
}

/** Reads the bytes of a tile of exactly the width asked for, from wherever tiles lie. Nobody has verified them. */
export type ReadTile = (tile: TileAddress & { readonly level: number }) => Promise<Uint8Array>;

/**
 * Creates a reader of a tree's hashes over its tiles.
 *
 * @param size of the tree: of each tile just the part that this tree has is asked for
 */
export function createHashReader(size: number, readTile: ReadTile): ReadHash {
  const cache = new Map<string, TileNodes>();
  const load = async (level: number, index: number): Promise<TileNodes> => {
    const width = tileWidth(level, index, size);
    if (width === 0) throw new RangeError('the tree has no such node');
    const address = { level, index, width };
    const key = tilePath(address);
    const nodes = cache.get(key) ?? foldTile(decodeTile(await readTile(address), width));
    cache.delete(key);
    cache.set(key, nodes);
    for (const oldest of cache.keys()) {
      if (cache.size <= CACHED_TILES) break;
      cache.delete(oldest);
    }
    return nodes;
  };
  return async (level, index) => {
    const height = level % TILE_HEIGHT;
    const perTile = TILE_WIDTH / 2 ** height;
    const nodes = await load(Math.floor(level / TILE_HEIGHT), Math.floor(index / perTile));
    const hash = nodes[height]?.[index % perTile];
    if (hash === undefined) throw new RangeError('the tree has no such node');
    return hash;
  };
}

/** Complete nodes within a tile, by their height above its hashes. */
type TileNodes = readonly (readonly Uint8Array[])[];

function foldTile(hashes: readonly Uint8Array[]): TileNodes {
  const levels: (readonly Uint8Array[])[] = [hashes];
  for (let below = hashes; below.length > 1 && levels.length < TILE_HEIGHT;) {
    below = hashPairs(below);
    levels.push(below);
  }
  return levels;
}
