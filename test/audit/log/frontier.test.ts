import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  appendLeaves,
  decodeFrontier,
  EMPTY_FRONTIER,
  encodeFrontier,
  type Frontier,
  frontierRoot,
  hashLeaf,
  LogError,
  MAX_TREE_SIZE,
} from '../../../audit/log/index.ts';
import { numberedEntries, referencePath, referenceRoot } from './reference-tree.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const frontierOf = (count: number): Frontier =>
  appendLeaves(EMPTY_FRONTIER, numberedEntries(count).map(hashLeaf)).frontier;

describe('a frontier', () => {
  it('has the root that RFC 6962 defines, appended to one by one', () => {
    const entries = numberedEntries(70);
    let frontier = EMPTY_FRONTIER;
    for (const [index, entry] of entries.entries()) {
      const append = appendLeaves(frontier, [hashLeaf(entry)]);
      frontier = append.frontier;
      const tree = entries.slice(0, index + 1);
      expect(hex(append.root)).toBe(hex(referenceRoot(tree)));
      expect(hex(frontierRoot(frontier))).toBe(hex(append.root));
      expect(append.proveInclusion(index).map(hex)).toEqual(referencePath(index, tree).map(hex));
    }
  });

  it('has the root and the proofs of the whole tree, whatever the batches', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(24), { minLength: 1, maxLength: 5 }), (batches) => {
        const entries = numberedEntries(batches.reduce((sum, count) => sum + count, 0));
        let frontier = EMPTY_FRONTIER;
        for (const count of batches) {
          const start = frontier.size;
          const append = appendLeaves(frontier, entries.slice(start, start + count).map(hashLeaf));
          frontier = decodeFrontier(encodeFrontier(append.frontier));
          const tree = entries.slice(0, start + count);
          expect(hex(append.root)).toBe(hex(referenceRoot(tree)));
          for (let index = start; index < start + count; index += 1)
            expect(append.proveInclusion(index).map(hex)).toEqual(referencePath(index, tree).map(hex));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('names the nodes that a batch completes, each once and at its place', () => {
    const leaves = numberedEntries(100).map(hashLeaf);
    const byPlace = new Map<string, string>();
    const collect = (batches: readonly number[]): Map<string, string> => {
      const places = new Map<string, string>();
      let frontier = EMPTY_FRONTIER;
      for (const count of batches) {
        const append = appendLeaves(frontier, leaves.slice(frontier.size, frontier.size + count));
        for (const { level, first, hashes } of append.completed) {
          for (const [offset, hash] of hashes.entries()) {
            expect(places.has(`${level}/${first + offset}`)).toBe(false);
            places.set(`${level}/${first + offset}`, hex(hash));
          }
        }
        frontier = append.frontier;
      }
      return places;
    };
    for (const [place, hash] of collect([100])) byPlace.set(place, hash);
    expect(byPlace.size).toBe(100 + 50 + 25 + 12 + 6 + 3 + 1);
    for (const batches of [[1, 99], [37, 63], [64, 36], Array.from({ length: 100 }, () => 1)])
      expect(Object.fromEntries(collect(batches))).toEqual(Object.fromEntries(byPlace));
  });

  it('goes on in a tree of 2^53 - 2 leaves, and refuses to fill it beyond its last size', () => {
    const hashes = Array.from({ length: 52 }, (_, index) => hashLeaf(Buffer.of(index)));
    const almost: Frontier = { size: MAX_TREE_SIZE - 1, hashes };
    const append = appendLeaves(decodeFrontier(encodeFrontier(almost)), [hashLeaf(Buffer.of(1))]);
    expect(append.frontier.size).toBe(MAX_TREE_SIZE);
    expect(append.proveInclusion(MAX_TREE_SIZE - 1)).toHaveLength(52);
    expect(() => appendLeaves(append.frontier, [hashLeaf(Buffer.of(2))])).toThrow(RangeError);
  });

  it('refuses to prove a leaf of another batch', () => {
    const append = appendLeaves(frontierOf(3), [hashLeaf(Buffer.of(1))]);
    for (const index of [2, 4, -1, 3.5]) expect(() => append.proveInclusion(index)).toThrow(RangeError);
  });

  it('refuses a leaf that is no hash', () => {
    expect(() => appendLeaves(EMPTY_FRONTIER, [Buffer.from('entry')])).toThrow(RangeError);
    expect(() => hashLeaf(new Uint8Array(65_536))).toThrow(RangeError);
    expect(hashLeaf(new Uint8Array(65_535))).toHaveLength(32);
  });

  it('refuses bytes that are no frontier', () => {
    const bytes = encodeFrontier(frontierOf(11));
    const refusal = expect.objectContaining({ code: 'FRONTIER_MALFORMED' });
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => decodeFrontier(bytes.subarray(0, length))).toThrow(refusal);
    const huge = Buffer.alloc(8 + 32);
    huge.writeBigUInt64BE(2n ** 53n);
    for (const wrong of [Buffer.concat([bytes, Buffer.of(0)]), huge, new Uint8Array(5_000)])
      expect(() => decodeFrontier(wrong)).toThrow(LogError);
    expect(hex(encodeFrontier(decodeFrontier(bytes)))).toBe(hex(bytes));
  });
});
