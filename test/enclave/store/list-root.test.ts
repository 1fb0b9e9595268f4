import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveStoreKey, SealedStore } from '../../../enclave/store/index.ts';
import { sealRecord } from '../../../enclave/store/record-cipher.ts';
import { encodeCbor } from '../../../shared/cbor/index.ts';
import { MAX_RECORD_BYTES } from '../../../shared/protocol/control.ts';
import { MemoryRecordStorage } from './memory-record-storage.ts';

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 4 };

/** A store as the format before wrote it: the root record lists every record. */
function makeListStore(count: number): MemoryRecordStorage {
  const storage = new MemoryRecordStorage();
  const records: Record<string, { revision: number; digest: Uint8Array }> = {};
  for (let index = 0; index < count; index += 1) {
    const place = { table: 'keys', id: `key-${index}`, revision: 1 };
    const bytes = sealRecord(key, place, Uint8Array.of(index & 255));
    storage.records.set(`keys/${place.id}`, { ...place, bytes });
    records[`keys/${place.id}`] = {
      revision: 1,
      digest: new Uint8Array(createHash('sha256').update(bytes).digest()),
    };
  }
  const root = encodeCbor({ format: 1, ...STATE, records });
  const place = { table: 'store', id: 'root', revision: 9 };
  storage.records.set('store/root', { ...place, bytes: sealRecord(key, place, root) });
  return storage;
}

describe('a store whose root record lists every record', () => {
  it.each([0, 1, 40, 3000])(
    'opens with %i of them, and has an index from its next commit on',
    async (count) => {
      const storage = makeListStore(count);
      const before = await SealedStore.open(storage, key);
      expect(before.state).toEqual({ ...STATE, log: { size: 0, frontier: [] } });
      expect(storage.commits).toHaveLength(0);
      await before.commit([{ table: 'keys', id: 'new', plaintext: Uint8Array.of(7) }], { boots: 5 });
      expect(storage.commits).toHaveLength(1);
      expect(storage.records.get('store/root')?.revision).toBe(10);
      expect(storage.records.get('store/root')?.bytes.length).toBeLessThan(MAX_RECORD_BYTES / 16);
      for (const store of [before, await SealedStore.open(storage, key)]) {
        expect(store.size).toBe(count + 1);
        expect(store.state.boots).toBe(5);
        expect(await store.read({ table: 'keys', id: 'new' })).toEqual(Uint8Array.of(7));
        for (const index of [0, count - 1].filter((one) => one >= 0 && one < count)) {
          expect(await store.read({ table: 'keys', id: `key-${index}` })).toEqual(Uint8Array.of(index & 255));
        }
        await store.commit([]).catch(() => undefined);
      }
    },
  );

  it('commits again where its list could grow no more', async () => {
    const storage = makeListStore(3000);
    const root = storage.records.get('store/root')?.bytes.length ?? 0;
    expect(root).toBeGreaterThan((MAX_RECORD_BYTES * 3) / 4);
    const store = await SealedStore.open(storage, key);
    const changes = Array.from({ length: 500 }, (_, index) => ({
      table: 'keys',
      id: `more-${index}`,
      plaintext: Uint8Array.of(1),
    }));
    for (let from = 0; from < 500; from += 100) await store.commit(changes.slice(from, from + 100));
    expect((await SealedStore.open(storage, key)).size).toBe(3500);
  });

  it('can be tried again after a first commit that failed', async () => {
    const storage = makeListStore(40);
    storage.onCommit = () => {
      throw new Error('as the test has it');
    };
    const store = await SealedStore.open(storage, key);
    await expect(store.commit([])).rejects.toMatchObject({ code: 'STORE_UNCERTAIN' });
    storage.onCommit = () => undefined;
    await store.commit([]);
    expect((await SealedStore.open(storage, key)).size).toBe(40);
  });

  it.each<[string, string, (storage: MemoryRecordStorage) => unknown]>([
    ['a record missing', 'STORE_RECORD_MISSING', (storage) => storage.records.delete('keys/key-3')],
    [
      'a record of another revision',
      'STORE_RECORD_ALTERED',
      (storage) => storage.tamper('keys/key-3', { revision: 2 }),
    ],
    [
      'a record that it never wrote',
      'STORE_RECORD_UNKNOWN',
      ({ records }) =>
        records.set('index/0', { table: 'index', id: '0', revision: 1, bytes: new Uint8Array(60) }),
    ],
  ])('does not open with %s', async (_, code, tamper) => {
    const storage = makeListStore(5);
    tamper(storage);
    await expect(SealedStore.open(storage, key)).rejects.toMatchObject({ code });
  });

  it('does not come back: beside records of the new format its root record opens nothing', async () => {
    const storage = makeListStore(40);
    const old = storage.records.get('store/root');
    await (await SealedStore.open(storage, key)).commit([]);
    storage.tamper('store/root', { ...old });
    await expect(SealedStore.open(storage, key)).rejects.toMatchObject({ code: 'STORE_RECORD_UNKNOWN' });
  });
});
