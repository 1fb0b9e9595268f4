import { describe, expect, it } from 'vitest';
import { decodeRoot, encodeRoot, type RootRecord } from '../../../enclave/store/root-record.ts';
import { type CborEncodable, encodeCbor } from '../../../shared/cbor/index.ts';

const state = {
  order: 'first-start',
  configuration: { version: 7, digest: new Uint8Array(48).fill(1) },
  boots: 3,
};
const entry: [string, string, number, Uint8Array] = ['keys', 'hot', 2, new Uint8Array(32).fill(2)];
const log = { size: 5, frontier: [new Uint8Array(32).fill(3), new Uint8Array(32).fill(4)] };
const root: RootRecord = { format: 3, ...state, log, index: { records: [entry] } };
const unloggedRoot = { format: 2, ...state, index: { records: [entry] } };
const node: [number, Uint8Array] = [1, new Uint8Array(32)];
const listRoot = {
  format: 1,
  ...state,
  records: { 'keys/hot': { revision: 2, digest: new Uint8Array(32).fill(2) } },
};

function decodeWith(base: object, change: object) {
  const entries = Object.entries<CborEncodable | undefined>({ ...base, ...change }).flatMap(
    ([name, value]): [string, CborEncodable][] => (value === undefined ? [] : [[name, value]]),
  );
  return () => decodeRoot(encodeCbor(Object.fromEntries(entries)));
}

describe('the root record', () => {
  it('comes back as it was written', () => {
    expect(decodeRoot(encodeRoot(root))).toEqual(root);
    const branch: RootRecord = { ...root, index: { children: [node, null, node, null] } };
    expect(decodeRoot(encodeRoot(branch))).toEqual(branch);
  });

  it('is read in the formats before this one', () => {
    expect(decodeRoot(encodeCbor(listRoot))).toEqual(listRoot);
    expect(decodeRoot(encodeCbor(unloggedRoot))).toEqual(unloggedRoot);
  });

  it.each([0, 4])('is refused by name in format %i', (format) => {
    expect(decodeWith(root, { format })).toThrow(expect.objectContaining({ code: 'STORE_FORMAT_UNKNOWN' }));
  });

  it('has no more than a few thousand bytes, with the longest names and numbers', () => {
    const name = 'x'.repeat(128);
    const records = Array.from({ length: 32 }, (): typeof entry => [
      name,
      name,
      Number.MAX_SAFE_INTEGER,
      new Uint8Array(32),
    ]);
    const longest = {
      size: Number.MAX_SAFE_INTEGER,
      frontier: Array.from({ length: 53 }, () => new Uint8Array(32)),
    };
    expect(encodeRoot({ ...root, order: name, log: longest, index: { records } }).length).toBeLessThan(
      14_000,
    );
  });

  it.each<[string, object]>([
    ['no format', { format: undefined }],
    ['a field that nobody knows', { more: 1 }],
    ['no order', { order: undefined }],
    ['no configuration in force', { configuration: { version: 0, digest: new Uint8Array(48) } }],
    ['a digest of another length', { configuration: { version: 1, digest: new Uint8Array(32) } }],
    ['no boot', { boots: 0 }],
    ['no log', { log: undefined }],
    ['a log of another size than its frontier', { log: { ...log, size: 7 } }],
    ['a log of no integer size', { log: { ...log, size: -3 } }],
    ['a root in the frontier of another length', { log: { size: 1, frontier: [new Uint8Array(31)] } }],
    ['the list of the format before', { index: undefined, records: listRoot.records }],
    ['a record that was never written', { index: { records: [['keys', 'hot', 0, new Uint8Array(32)]] } }],
    ['a record without its digest', { index: { records: [['keys', 'hot', 1]] } }],
    ['more records than a leaf lists', { index: { records: Array.from({ length: 33 }, () => entry) } }],
    ['a branch of three', { index: { children: [node, node, node] } }],
    ['a branch that is a leaf', { index: { children: [null, null, null, null], records: [] } }],
  ])('is not taken with %s', (_, change) => {
    expect(decodeWith(root, change)).toThrow(expect.objectContaining({ name: 'ZodError' }));
  });

  it.each<[string, object]>([
    [
      'a record that was never written',
      { records: { 'keys/hot': { revision: 0, digest: new Uint8Array(32) } } },
    ],
    ['a record without its digest', { records: { 'keys/hot': { revision: 1 } } }],
    ['an index', { index: root.index }],
  ])('is not taken in format 1 with %s', (_, change) => {
    expect(decodeWith(listRoot, change)).toThrow(expect.objectContaining({ name: 'ZodError' }));
  });
});
