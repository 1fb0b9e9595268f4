import { createDecipheriv } from 'node:crypto';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha384 } from '@noble/hashes/sha2.js';
import { Decoder, Encoder } from 'cbor-x';
import { describe, expect, it } from 'vitest';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { MemoryRecordStorage } from './memory-record-storage.ts';

/*
 * A second implementation of enclave/store/SPEC.md, which reads a store with other libraries and shares nothing with
 * the first.
 */
const PASSWORD = new Uint8Array(32).fill(9);
const encoder = new Encoder({ useRecords: false });
const decoder = new Decoder({ useRecords: false, mapsAsObjects: true });
const encode = (value: unknown) => new Uint8Array(encoder.encode(value));

type Records = MemoryRecordStorage['records'];
type State = readonly [revision: number, digest: Uint8Array];
interface Node {
  readonly records?: readonly (readonly [string, string, number, Uint8Array])[];
  readonly children?: readonly (State | null)[];
}

function openSealed(key: Uint8Array, records: Records, table: string, id: string): Buffer {
  const record = records.get(`${table}/${id}`);
  if (record === undefined) throw new RangeError(`no record ${table}/${id}`);
  const { bytes, revision } = record;
  expect(bytes[0]).toBe(1);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, 13));
  decipher.setAAD(encode(['holdfast sealed record', 1, table, id, revision])).setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()]);
}

function assertState(records: Records, name: string, [revision, digest]: State): void {
  const record = records.get(name);
  expect(record?.revision).toBe(revision);
  expect(Buffer.from(sha256(record?.bytes ?? new Uint8Array()))).toEqual(Buffer.from(digest));
}

const digitsOf = (table: string, id: string) =>
  [...sha256(encode([table, id]))].map((byte) => byte.toString(4).padStart(4, '0')).join('');

/** The names of all records below a node; every rule of the index is checked on the way. */
function walk(key: Uint8Array, records: Records, node: Node, digits: string, nodes: string[]): string[] {
  expect(Object.keys(node)).toHaveLength(1);
  if (node.records !== undefined) {
    expect(node.records.length).toBeLessThanOrEqual(32);
    const names = node.records.map(([table, id, revision, digest]) => {
      expect(digitsOf(table, id).startsWith(digits)).toBe(true);
      assertState(records, `${table}/${id}`, [revision, digest]);
      return `${table}/${id}`;
    });
    expect(names).toEqual(names.toSorted());
    return names;
  }
  expect(node.children).toHaveLength(4);
  const names = (node.children ?? []).flatMap((state, digit) => {
    if (state === null) return [];
    const below = `${digits}${digit}`;
    nodes.push(`index/${below}`);
    assertState(records, `index/${below}`, state);
    const child = decoder.decode(openSealed(key, records, 'index', below)) as Node;
    return walk(key, records, child, below, nodes);
  });
  expect(names.length).toBeGreaterThan(32);
  return names;
}

describe('a reader that was written from SPEC.md', () => {
  it.each([0, 5, 32, 33, 600])('reads a store of %i records', async (count) => {
    const storage = new MemoryRecordStorage();
    const node = { namespace: 'demo', environment: 'test', node: 3 };
    const state = {
      order: 'first',
      configuration: { version: 7, digest: new Uint8Array(48).fill(2) },
      boots: 1,
    };
    const store = SealedStore.create(storage, deriveStoreKey(PASSWORD, node), state, Uint8Array.of(1, 2));
    const makeChanges = (table: string, length: number) =>
      Array.from({ length }, (_, index) => ({
        table,
        id: `id-${index}`,
        plaintext: Uint8Array.of(index & 255),
      }));
    // More at first than there are in the end, so that nodes come and go.
    await store.commit([...makeChanges('keys', count), ...makeChanges('shares', 200)]);
    await store.commit(
      makeChanges('shares', 200).map((one) => ({ ...one, plaintext: null })),
      { boots: 2, log: { size: 3, frontier: [new Uint8Array(32).fill(5), new Uint8Array(32).fill(6)] } },
      [1, 2, 3].map((byte) => Uint8Array.of(byte)),
    );

    const info = encode(['holdfast sealed store', 1, 'demo', 'test', 3]);
    const key = hkdf(sha384, PASSWORD, new Uint8Array(48), info, 32);
    const root = decoder.decode(openSealed(key, storage.records, 'store', 'root')) as Record<string, unknown>;
    expect(Object.keys(root)).toEqual(['format', 'order', 'configuration', 'boots', 'log', 'index']);
    expect(root).toMatchObject({
      format: 3,
      order: 'first',
      boots: 2,
      configuration: { version: 7 },
      log: { size: 3, frontier: [Buffer.alloc(32, 5), Buffer.alloc(32, 6)] },
    });
    const nodes: string[] = [];
    const names = walk(key, storage.records, root['index'] as Node, '', nodes);
    expect(names).toHaveLength(count);
    expect([...names, ...nodes, 'store/root', 'boot/encryptor-master-password'].toSorted()).toEqual(
      [...storage.records.keys()].toSorted(),
    );
    for (let index = 0; index < count; index += 50) {
      expect([...openSealed(key, storage.records, 'keys', `id-${index}`)]).toEqual([index & 255]);
    }
  });
});
