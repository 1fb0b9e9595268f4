import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countRecords,
  EMPTY_INDEX,
  findEntry,
  type IndexChange,
  type IndexNode,
  isLeaf,
  listEntries,
  updateIndex,
} from '../../../enclave/store/record-index.ts';

/** CBOR `[table, id]`, by hand: both shorter than 24 bytes. */
function encodePlace(table: string, id: string): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
  return Buffer.concat([Buffer.of(0x82), text(table), text(id)]);
}

/** The path as text: every two bits a digit. */
function pathOf(table: string, id: string): string {
  return [...sha256(encodePlace(table, id))].map((byte) => byte.toString(4).padStart(4, '0')).join('');
}

type Shape = string[] | { [digit: string]: Shape };

/** What SPEC.md says of the tree that lists these places. */
function shapeOf(places: readonly (readonly [string, string])[], depth = 0): Shape {
  if (places.length <= 32) return places.map(([table, id]) => `${table}/${id}`).toSorted();
  const groups = ['0', '1', '2', '3'].map((digit): [string, Shape] => [
    digit,
    shapeOf(
      places.filter(([table, id]) => pathOf(table, id)[depth] === digit),
      depth + 1,
    ),
  ]);
  return Object.fromEntries(groups);
}

function shapeOfNode(node: IndexNode): Shape {
  if (isLeaf(node)) return node.records.map(({ table, id }) => `${table}/${id}`);
  return Object.fromEntries(node.children.map((child, digit) => [String(digit), shapeOfNode(child)]));
}

const digest = new Uint8Array(32);
const put = (id: string, revision = 1): IndexChange => ({
  place: { table: 'keys', id },
  entry: { table: 'keys', id, revision, digest },
});
const remove = (id: string): IndexChange => ({ place: { table: 'keys', id }, entry: undefined });
const names = (count: number, start = 0) =>
  Array.from({ length: count }, (_, index) => `key-${start + index}`);

describe('the index of a store', () => {
  it.each([0, 1, 32, 33, 129, 1000])('has the shape that follows from its %i records', (count) => {
    const index = updateIndex(
      EMPTY_INDEX,
      names(count).map((id) => put(id)),
    );
    expect(shapeOfNode(index)).toEqual(shapeOf(names(count).map((id) => ['keys', id])));
    expect(countRecords(index)).toBe(count);
  });

  it('has one shape, whatever way the records came and went', () => {
    const change = fc.record({ id: fc.nat(150), isThere: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(change, { selector: ({ id }) => id, maxLength: 100 }), { maxLength: 8 }),
        (commits) => {
          let index: IndexNode = EMPTY_INDEX;
          const model = new Map<string, number>();
          commits.forEach((changes, commit) => {
            index = updateIndex(
              index,
              changes.map(({ id, isThere }) =>
                isThere ? put(`key-${id}`, commit + 1) : remove(`key-${id}`),
              ),
            );
            for (const { id, isThere } of changes) {
              if (isThere) model.set(`key-${id}`, commit + 1);
              else model.delete(`key-${id}`);
            }
          });
          expect(shapeOfNode(index)).toEqual(shapeOf([...model.keys()].map((id) => ['keys', id])));
          for (const [id, revision] of model)
            expect(findEntry(index, { table: 'keys', id })?.revision).toBe(revision);
          expect([...listEntries(index)]).toHaveLength(model.size);
          expect(findEntry(index, { table: 'shares', id: 'key-0' })).toBeUndefined();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('keeps every node that nothing below has changed', () => {
    const before = updateIndex(
      EMPTY_INDEX,
      names(2000).map((id) => put(id)),
    );
    const after = updateIndex(before, [put('key-7', 2)]);
    const nodesOf = (node: IndexNode): IndexNode[] => [
      node,
      ...(isLeaf(node) ? [] : node.children.flatMap(nodesOf)),
    ];
    const kept = new Set(nodesOf(before));
    const changed = nodesOf(after).filter((node) => !kept.has(node));
    // The leaf and what is above it: 4^4 leaves of eight records.
    expect(changed.length).toBeLessThanOrEqual(5);
  });

  it('is the same when nothing changes', () => {
    const index = updateIndex(
      EMPTY_INDEX,
      names(100).map((id) => put(id)),
    );
    expect(updateIndex(index, [])).toBe(index);
    expect(updateIndex(index, names(100).map(remove))).toBe(EMPTY_INDEX);
  });
});
