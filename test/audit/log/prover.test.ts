import { describe, expect, it } from 'vitest';
import {
  appendLeaves,
  createHashReader,
  decodeEntryBundle,
  EMPTY_FRONTIER,
  encodeBundledEntry,
  encodeFrontier,
  hashLeaf,
  listTileGains,
  LogError,
  parseTilePath,
  proveConsistency,
  proveInclusion,
  readFrontier,
  readRoot,
  tilePath,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from '../../../audit/log/index.ts';
import { numberedEntries, referenceConsistency, referencePath, referenceRoot } from './reference-tree.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Tiles of a log that has grown by these batches, each as long as it has become. */
function growTiles(entries: readonly Uint8Array[], batches: readonly number[]): Map<string, Buffer> {
  const tiles = new Map<string, Buffer>();
  let frontier = EMPTY_FRONTIER;
  for (const count of batches) {
    const append = appendLeaves(frontier, entries.slice(frontier.size, frontier.size + count).map(hashLeaf));
    for (const { level, index, from, hashes } of listTileGains(append.completed)) {
      const before = tiles.get(`${level}/${index}`) ?? Buffer.alloc(0);
      expect(before).toHaveLength(from * 32);
      tiles.set(`${level}/${index}`, Buffer.concat([before, ...hashes]));
    }
    frontier = append.frontier;
  }
  return tiles;
}

const readerOf = (tiles: Map<string, Buffer>, size: number) =>
  createHashReader(size, ({ level, index, width }) => {
    const tile = tiles.get(`${level}/${index}`)?.subarray(0, width * 32);
    return Promise.resolve(tile ?? Buffer.alloc(0));
  });

describe('a prover over tiles', () => {
  const entries = numberedEntries(700);
  const tiles = growTiles(entries, [1, 254, 2, 300, 143]);

  it('proves what RFC 6962 does, in each tree that the tiles hold', async () => {
    for (const size of [1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 699, 700]) {
      const readHash = readerOf(tiles, size);
      const tree = entries.slice(0, size);
      expect(hex(await readRoot(size, readHash))).toBe(hex(referenceRoot(tree)));
      expect(encodeFrontier(await readFrontier(size, readHash))).toEqual(
        encodeFrontier(appendLeaves(EMPTY_FRONTIER, tree.map(hashLeaf)).frontier),
      );
      for (const index of new Set([0, size >> 1, Math.max(0, size - 2), size - 1])) {
        const proof = await proveInclusion(index, size, readHash);
        expect(proof.map(hex)).toEqual(referencePath(index, tree).map(hex));
        verifyInclusion(
          hashLeaf(entries[index] ?? Buffer.alloc(0)),
          index,
          { size, root: referenceRoot(tree) },
          proof,
        );
      }
      for (const older of new Set(
        [1, size >> 1, Math.max(1, size - 1)].filter((one) => one > 0 && one < size),
      )) {
        const proof = await proveConsistency(older, size, readHash);
        expect(proof.map(hex)).toEqual(referenceConsistency(older, tree).map(hex));
        const head = (count: number) => ({ size: count, root: referenceRoot(entries.slice(0, count)) });
        verifyConsistency(head(older), head(size), proof);
      }
    }
  });

  it('has no proof for a leaf or an older tree that there is none of', async () => {
    const readHash = readerOf(tiles, 10);
    await expect(proveInclusion(10, 10, readHash)).rejects.toThrow(RangeError);
    await expect(proveConsistency(11, 10, readHash)).rejects.toThrow(RangeError);
    expect(await proveConsistency(0, 10, readHash)).toEqual([]);
    expect(await proveConsistency(10, 10, readHash)).toEqual([]);
    expect(hex(await readRoot(0, readHash))).toBe(hex(referenceRoot([])));
  });

  it('refuses a tile of another length', async () => {
    const short = createHashReader(300, () => Promise.resolve(Buffer.alloc(43 * 32)));
    await expect(readRoot(300, short)).rejects.toThrow(
      expect.objectContaining({ constructor: LogError, code: 'TILE_MALFORMED' }),
    );
  });
});

describe('the path of a tile', () => {
  const EXAMPLES = [
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/1/000.p/1', { level: 1, index: 0, width: 1 }],
    ['tile/63/999.p/255', { level: 63, index: 999, width: 255 }],
    ['tile/entries/x001/000.p/17', { level: 'entries', index: 1000, width: 17 }],
  ] as const;

  it.each(EXAMPLES)('is %s', (path, address) => {
    expect(tilePath(address)).toBe(path);
    expect(parseTilePath(path)).toEqual(address);
  });

  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/x000/001',
    'tile/0/001/067',
    'tile/0/1000',
    'tile/data/000',
    'tile/8/0/000',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/../000',
    'tile/0/x999/x999/x999/x999/x999/999',
    '',
  ])('is not %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  it('has the widths of the specification’s example, 70,000 entries', () => {
    const widths = [
      ['entries', 272, 256],
      ['entries', 273, 112],
      [0, 272, 256],
      [0, 273, 112],
      [0, 274, 0],
      [1, 0, 256],
      [1, 1, 17],
      [2, 0, 1],
      [3, 0, 0],
    ] as const;
    for (const [level, index, width] of widths) expect(tileWidth(level, index, 70_000)).toBe(width);
    expect([tileWidth(0, 0, 256), tileWidth(1, 0, 256)]).toEqual([256, 1]);
  });
});

describe('an entry bundle', () => {
  const entries = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(65_535, 7)];
  const bundle = Buffer.concat(entries.map(encodeBundledEntry));

  it('gives its entries back', () => {
    expect(decodeEntryBundle(bundle, 3).map(hex)).toEqual(entries.map(hex));
    expect(() => encodeBundledEntry(Buffer.alloc(65_536))).toThrow(RangeError);
  });

  it('of another number of entries, or cut off, is refused', () => {
    const refusal = expect.objectContaining({ constructor: LogError, code: 'TILE_MALFORMED' });
    for (const width of [2, 4]) expect(() => decodeEntryBundle(bundle, width)).toThrow(refusal);
    for (const length of [0, 1, 4, 6, bundle.length - 1])
      expect(() => decodeEntryBundle(bundle.subarray(0, length), 3)).toThrow(refusal);
  });
});
