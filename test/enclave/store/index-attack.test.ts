import { beforeAll, describe, expect, it } from 'vitest';
import { deriveStoreKey, SealedStore, StoreError } from '../../../enclave/store/index.ts';
import type { RecordKey } from '../../../shared/protocol/control.ts';
import { MemoryRecordStorage } from './memory-record-storage.ts';

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
/** Two levels of nodes below the root record. */
const COUNT = 200;
const places: readonly RecordKey[] = Array.from({ length: COUNT }, (_, index) => ({
  table: 'keys',
  id: `key-${index}`,
}));

type Records = MemoryRecordStorage['records'];
/** The same store at three commits: each wrote every record anew, and so every node. */
const versions: Records[] = [];

beforeAll(async () => {
  const storage = new MemoryRecordStorage();
  const store = SealedStore.create(storage, key, STATE, Uint8Array.of(1));
  for (let round = 1; round <= 3; round += 1) {
    await store.commit(places.map((place) => ({ ...place, plaintext: Uint8Array.of(round) })));
    versions.push(storage.snapshot());
  }
});

const newest = () => versions[2] ?? new Map();
const names = () => [...newest().keys()].filter((name) => name !== 'boot/encryptor-master-password');

/** Opens the store and reads all of it: what it is refused with, undefined for nothing. */
async function refusalOf(records: Records): Promise<string | undefined> {
  const storage = new MemoryRecordStorage();
  storage.records = records;
  try {
    const store = await SealedStore.open(storage, key);
    for (const place of places) {
      const plaintext = await store.read(place);
      if (plaintext?.[0] !== 3) return 'A RECORD OF ANOTHER TIME WAS READ';
    }
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
}

/** What becomes of the store when each of its records in turn, the index's nodes among them, is changed so. */
async function refusalsOf(
  change: (records: Records, name: string) => void,
): Promise<Set<string | undefined>> {
  const found = new Set<string | undefined>();
  for (const name of names()) {
    const records = new Map(newest());
    change(records, name);
    found.add(await refusalOf(records));
  }
  return found;
}

function replace(records: Records, name: string, change: object): void {
  const kept = records.get(name);
  if (kept !== undefined) records.set(name, { ...kept, ...change });
}

describe('a store with an index, record by record and node by node', () => {
  it('opens as it was written, with nodes on two levels', async () => {
    expect(await refusalOf(newest())).toBeUndefined();
    expect(names().filter((name) => /^index\/[0-3]$/.test(name))).toHaveLength(4);
    expect(names().filter((name) => /^index\/[0-3]{2}$/.test(name)).length).toBeGreaterThan(4);
  });

  it('does not go without any of them', async () => {
    expect(await refusalsOf((records, name) => records.delete(name))).toEqual(
      new Set(['STORE_RECORD_MISSING']),
    );
  });

  it('takes none with a bit changed', async () => {
    const refusals = await refusalsOf((records, name) => {
      const bytes = records.get(name)?.bytes.slice() ?? new Uint8Array();
      const at = bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      replace(records, name, { bytes });
    });
    expect(refusals).toEqual(new Set(['STORE_RECORD_ALTERED', 'STORE_ROOT_UNREADABLE']));
  });

  it.each([
    ['with the revision that it had then', true],
    ['with the newest revision', false],
  ])('takes none from before, %s', async (_, withRevision) => {
    for (const old of versions.slice(0, 2)) {
      const refusals = await refusalsOf((records, name) => {
        const { bytes, revision } = old.get(name) ?? {};
        replace(records, name, withRevision ? { bytes, revision } : { bytes });
      });
      expect(refusals.has(undefined)).toBe(false);
      expect(
        [...refusals].every((code) => code?.startsWith('STORE_RECORD_') || code === 'STORE_ROOT_UNREADABLE'),
      ).toBe(true);
    }
  });

  it('takes no part of the index from before, its nodes and records together, under a newer root', async () => {
    for (const digit of ['0', '1', '2', '3']) {
      const records = new Map(newest());
      for (const [name, kept] of versions[1] ?? []) {
        if (name.startsWith(`index/${digit}`) || name.startsWith('keys/')) records.set(name, kept);
      }
      expect(await refusalOf(records)).toBe('STORE_RECORD_ALTERED');
    }
  });

  it('takes none in the place of another, with or without the revision of that place', async () => {
    const all = names();
    for (const withRevision of [true, false]) {
      const refusals = await refusalsOf((records, name) => {
        const other = records.get(all[(all.indexOf(name) + 1) % all.length] ?? '');
        replace(
          records,
          name,
          withRevision ? { bytes: other?.bytes, revision: other?.revision } : { bytes: other?.bytes },
        );
      });
      expect(refusals).toEqual(new Set(['STORE_RECORD_ALTERED', 'STORE_ROOT_UNREADABLE']));
    }
  });

  it('takes none twice', async () => {
    const refusals = await refusalsOf((records, name) => {
      const kept = records.get(name);
      if (kept !== undefined) records.set(`copies/${kept.id}`, { ...kept, table: 'copies' });
    });
    expect(refusals).toEqual(new Set(['STORE_RECORD_UNKNOWN']));
    const records = new Map(newest());
    const [node] = [...records.values()].filter(({ table }) => table === 'index');
    if (node !== undefined) records.set('index/3333', { ...node, id: '3333' });
    expect(await refusalOf(records)).toBe('STORE_RECORD_UNKNOWN');
  });

  it('a whole store from before opens as it was then: what ends it is the enclave that runs on the newer one', async () => {
    const storage = new MemoryRecordStorage();
    storage.records = new Map(newest());
    const running = await SealedStore.open(storage, key);
    storage.records = new Map(versions[1]);
    await expect(running.commit([])).rejects.toMatchObject({ code: 'STORE_TAKEN' });
    expect(await refusalOf(versions[1] ?? new Map())).toBe('A RECORD OF ANOTHER TIME WAS READ');
  });
});

describe('a commit of a store with an index', () => {
  it('is all or nothing wherever the parent dies', async () => {
    for (const dies of ['before', 'after'] as const) {
      const storage = new MemoryRecordStorage();
      storage.records = new Map(newest());
      const store = await SealedStore.open(storage, key);
      const crash = () => {
        throw new Error('as the test has it');
      };
      if (dies === 'before') storage.onCommit = crash;
      else storage.onCommitted = crash;
      const changes = places.map((place) => ({ ...place, plaintext: Uint8Array.of(4) }));
      await expect(store.commit(changes)).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' });
      const again = await SealedStore.open(storage, key);
      const read = await Promise.all(places.map(async (place) => (await again.read(place))?.[0]));
      expect(new Set(read)).toEqual(new Set([dies === 'before' ? 3 : 4]));
    }
  });

  it('is noticed when a parent carries out a part of it', async () => {
    const storage = new MemoryRecordStorage();
    storage.records = new Map(newest());
    const store = await SealedStore.open(storage, key);
    await store.commit([{ table: 'keys', id: 'key-0', plaintext: Uint8Array.of(3) }]);
    const writes = storage.commits.at(-1) ?? [];
    expect(writes.map(({ table }) => table)).toEqual(['keys', 'index', 'index', 'store']);
    const whole = storage.snapshot();
    for (let parts = 1; parts < 2 ** writes.length - 1; parts += 1) {
      const records = new Map(newest());
      for (const [index, { table, id }] of writes.entries()) {
        const kept = whole.get(`${table}/${id}`);
        if ((parts & (1 << index)) !== 0 && kept !== undefined) records.set(`${table}/${id}`, kept);
      }
      expect(await refusalOf(records)).toMatch(/^STORE_RECORD_ALTERED$/);
    }
  });
});
