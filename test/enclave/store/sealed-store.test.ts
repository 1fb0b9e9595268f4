import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { deriveStoreKey, type RecordStorage, SealedStore, StoreError } from '../../../enclave/store/index.ts';
import { sealRecord } from '../../../enclave/store/record-cipher.ts';
import { encodeCbor } from '../../../shared/cbor/index.ts';
import { ControlError } from '../../../shared/protocol/errors.ts';
import { MemoryRecordStorage } from './memory-record-storage.ts';

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
const ROOT = 'store/root';
const HOT = { table: 'keys', id: 'hot' };
const COLD = { table: 'keys', id: 'cold' };
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

let storage: MemoryRecordStorage;
let store: SealedStore;

beforeEach(async () => {
  storage = new MemoryRecordStorage();
  store = await makeStore(storage, bytes('ciphertext of the password'));
});

/** A new store after its first commit. */
async function makeStore(by: MemoryRecordStorage, passwordBlob?: Uint8Array): Promise<SealedStore> {
  const made = SealedStore.create(by, key, STATE, passwordBlob);
  await made.commit([]);
  return made;
}

async function refusal(act: () => Promise<unknown>): Promise<string> {
  const error: unknown = await act().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return (error as StoreError).code;
}
const reopen = () => SealedStore.open(storage, key);

describe('a sealed store', () => {
  it('is made with its root record and the ciphertext that opens it, in one commit', async () => {
    expect(storage.commits).toHaveLength(1);
    expect([...storage.records.keys()]).toEqual(['boot/encryptor-master-password', ROOT]);
    expect((await reopen()).state).toMatchObject(STATE);
  });

  it('reads what it has written last while commits are under way, in whatever order the parent carries them out', async () => {
    await store.commit([{ ...HOT, plaintext: bytes('one') }]);
    const slow: RecordStorage = {
      listRecords: () => storage.listRecords(),
      async commit(writes, log) {
        await storage.commit(writes, log);
        await sleep(5);
      },
      async readRecord(place) {
        await sleep(2);
        return await storage.readRecord(place);
      },
    };
    const opened = await SealedStore.open(slow, key);
    const ends: Promise<unknown>[] = [];
    for (const [round, text] of ['two', 'three', 'four'].entries()) {
      const read = opened.read(HOT);
      const written = opened.commit([{ ...HOT, plaintext: bytes(text) }]);
      await sleep(round);
      ends.push(read, written, opened.read(HOT));
    }
    const [before, , after] = await Promise.all(ends);
    expect([before, after]).toEqual([bytes('one'), bytes('two')]);
    expect(await opened.read(HOT)).toEqual(bytes('four'));
  });

  it('reads the parts of one thing with no commit between them, up to the first that is missing', async () => {
    const parts = ['a', 'b', 'c'].map((id) => ({ table: 'keys', id }));
    const write = async (text: string, count: number) =>
      await store.commit(
        parts.map((place, index) => ({ ...place, plaintext: index < count ? bytes(text) : null })),
      );
    await write('one', 3);
    const [first, , second] = await Promise.all([
      store.readParts(parts),
      write('two', 2),
      store.readParts(parts),
    ]);
    expect(first).toEqual([bytes('one'), bytes('one'), bytes('one')]);
    expect(second).toEqual([bytes('two'), bytes('two')]);
  });

  it('is not written before its first keys are: nobody can keep it without them', async () => {
    const other = new MemoryRecordStorage();
    const made = SealedStore.create(other, key, STATE, bytes('ciphertext of the password'));
    expect(other.records.size).toBe(0);
    await made.commit([{ ...HOT, plaintext: bytes('one') }]);
    await made.commit([{ ...COLD, plaintext: bytes('two') }]);
    expect(other.commits.map(({ length }) => length)).toEqual([3, 2]);
  });

  it('is made without that ciphertext where an admin brings it', async () => {
    const other = new MemoryRecordStorage();
    await makeStore(other);
    expect([...other.records.keys()]).toEqual([ROOT]);
  });

  it('is not made over another', async () => {
    const before = storage.snapshot();
    expect(await refusal(() => makeStore(storage))).toBe('STORE_TAKEN');
    expect(storage.records).toEqual(before);
  });

  it('gives back what was committed, now and when it is opened again', async () => {
    await store.commit([
      { ...HOT, plaintext: bytes('one') },
      { ...COLD, plaintext: bytes('two') },
    ]);
    await store.commit([{ ...HOT, plaintext: bytes('three') }], { boots: 2 });
    for (const each of [store, await reopen()]) {
      expect(await each.read(HOT)).toEqual(bytes('three'));
      expect(await each.read(COLD)).toEqual(bytes('two'));
      expect(await each.read({ table: 'keys', id: 'none' })).toBeNull();
      expect(each.state.boots).toBe(2);
    }
  });

  it('writes its root record with every commit', async () => {
    await store.commit([{ ...HOT, plaintext: bytes('one') }]);
    await store.commit([]);
    expect(storage.records.get(ROOT)?.revision).toBe(3);
    expect(storage.commits.map((writes) => writes.at(-1))).toEqual(
      [0, 1, 2].map((expectedRevision) =>
        expect.objectContaining({ table: 'store', id: 'root', expectedRevision }),
      ),
    );
  });

  it('forgets what is deleted, and takes it in anew', async () => {
    await store.commit([{ ...HOT, plaintext: bytes('one') }]);
    await store.commit([{ ...HOT, plaintext: null }]);
    expect(await store.read(HOT)).toBeNull();
    expect(storage.records.has('keys/hot')).toBe(false);
    expect(await (await reopen()).read(HOT)).toBeNull();
    await store.commit([{ ...HOT, plaintext: bytes('two') }]);
    expect(await (await reopen()).read(HOT)).toEqual(bytes('two'));
  });

  it('does not take the record from before a deletion for the one after it', async () => {
    await store.commit([{ ...HOT, plaintext: bytes('one') }]);
    const old = storage.records.get('keys/hot');
    await store.commit([{ ...HOT, plaintext: null }]);
    await store.commit([{ ...HOT, plaintext: bytes('two') }]);
    storage.tamper('keys/hot', { bytes: old?.bytes ?? new Uint8Array() });
    expect(await refusal(() => store.read(HOT))).toBe('STORE_RECORD_ALTERED');
  });

  it('deletes what is not there by doing nothing', async () => {
    await store.commit([{ ...HOT, plaintext: null }]);
    expect(await (await reopen()).read(HOT)).toBeNull();
  });

  it('carries out commits one after the other, however they come', async () => {
    await Promise.all(
      ['one', 'two', 'three'].map((text) => store.commit([{ ...HOT, plaintext: bytes(text) }])),
    );
    expect(await (await reopen()).read(HOT)).toEqual(bytes('three'));
    expect(storage.records.get('keys/hot')?.revision).toBe(3);
  });
});

describe('the log of a sealed store', () => {
  const log = (size: number) => ({
    size,
    frontier: Array.from({ length: size.toString(2).replaceAll('0', '').length }, (_, index) =>
      new Uint8Array(32).fill(index),
    ),
  });

  it('begins empty, and goes on from what was sealed last', async () => {
    expect(store.state.log).toEqual(log(0));
    await store.commit([{ ...HOT, plaintext: bytes('one') }], { log: log(2) }, [bytes('a'), bytes('b')]);
    await store.commit([{ ...HOT, plaintext: bytes('two') }]);
    await store.commit([], { log: log(3) }, [bytes('c')]);
    expect(storage.entries).toEqual(['a', 'b', 'c'].map(bytes));
    expect((await reopen()).state.log).toEqual(log(3));
  });

  it.each<[string, number | undefined, number]>([
    ['no state for its entries', undefined, 1],
    ['a state that forgets an entry', 1, 2],
    ['a state of more entries than there are', 3, 1],
    ['a state that goes back', 0, 0],
  ])('is not written with %s', async (_, size, count) => {
    await store.commit([], { log: log(1) }, [bytes('a')]);
    const change = size === undefined ? {} : { log: log(size) };
    const entries = Array.from({ length: count }, () => bytes('b'));
    await expect(store.commit([], change, entries)).rejects.toThrow(RangeError);
    expect(storage.entries).toHaveLength(1);
  });

  it('takes no entry that tlog-tiles cannot write, and the longest that it can', async () => {
    await expect(store.commit([], { log: log(1) }, [new Uint8Array(65_536)])).rejects.toThrow(RangeError);
    await store.commit([], { log: log(1) }, [new Uint8Array(65_535)]);
  });

  it.each([
    ['entries', Array.from({ length: 257 }, () => bytes('a'))],
    ['bytes', Array.from({ length: 64 }, () => new Uint8Array(65_535))],
  ])('says STORE_FULL for more %s than a commit carries, and sends nothing', async (_, entries) => {
    const before = storage.commits.length;
    expect(await refusal(() => store.commit([], { log: log(entries.length) }, entries))).toBe('STORE_FULL');
    expect(storage.commits).toHaveLength(before);
    await store.commit([], { log: log(1) }, [bytes('a')]);
  });

  it('says STORE_TAKEN where the parent has another number of entries', async () => {
    await store.commit([], { log: log(1) }, [bytes('a')]);
    storage.entries.pop();
    expect(await refusal(() => store.commit([], { log: log(2) }, [bytes('b')]))).toBe('STORE_TAKEN');
  });

  it('opens in the format before this one with an empty log', async () => {
    const place = { table: 'store', id: 'root', revision: 4 };
    const root = encodeCbor({ format: 2, ...STATE, index: { records: [] } });
    const older = new MemoryRecordStorage();
    older.records.set(ROOT, { ...place, bytes: sealRecord(key, place, root) });
    const opened = await SealedStore.open(older, key);
    expect(opened.state).toEqual({ ...STATE, log: log(0) });
    await opened.commit([], { log: log(1) }, [bytes('a')]);
    expect((await SealedStore.open(older, key)).state.log).toEqual(log(1));
  });
});

describe('a commit that fails', () => {
  it('says STORE_TAKEN when somebody else has written, and so does each that follows', async () => {
    const other = await reopen();
    await other.commit([{ ...HOT, plaintext: bytes('theirs') }]);
    const ours = () => store.commit([{ ...HOT, plaintext: bytes('ours') }]);
    expect(await refusal(ours)).toBe('STORE_TAKEN');
    expect(await refusal(() => store.commit([]))).toBe('STORE_TAKEN');
    expect(await (await reopen()).read(HOT)).toEqual(bytes('theirs'));
  });

  it.each<ConstructorParameters<typeof ControlError>[0]>([
    'CONTROL_COMMIT_UNRESOLVED',
    'CONTROL_DISCONNECTED',
    'CONTROL_TIMEOUT',
    'CONTROL_STORE_FAILED',
    'CONTROL_ANSWER_INVALID',
  ])('says STORE_UNCERTAIN for %s', async (code) => {
    storage.onCommit = () => {
      throw new ControlError(code, 'as the test has it');
    };
    expect(await refusal(() => store.commit([]))).toBe('STORE_UNCERTAIN');
  });

  it('says STORE_FULL when the parent has no room, and goes on with what it has', async () => {
    storage.onCommit = () => {
      throw new ControlError('CONTROL_STORE_FULL', 'as the test has it');
    };
    expect(await refusal(() => store.commit([{ ...HOT, plaintext: bytes('one') }]))).toBe('STORE_FULL');
    storage.onCommit = () => undefined;
    expect(await store.read(HOT)).toBeNull();
    await store.commit([{ ...HOT, plaintext: bytes('two') }]);
    expect(await (await reopen()).read(HOT)).toEqual(bytes('two'));
  });

  it('says STORE_UNCERTAIN for an error that nobody knows', async () => {
    storage.onCommit = () => {
      throw new TypeError('as the test has it');
    };
    expect(await refusal(() => store.commit([]))).toBe('STORE_UNCERTAIN');
  });

  it('leaves what was there before as it was', async () => {
    await store.commit([{ ...HOT, plaintext: bytes('one') }]);
    storage.onCommit = () => {
      throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    await refusal(() => store.commit([{ ...HOT, plaintext: bytes('two') }], { boots: 9 }));
    expect(await store.read(HOT)).toEqual(bytes('one'));
    expect(store.state.boots).toBe(1);
    expect(await (await reopen()).read(HOT)).toEqual(bytes('one'));
  });

  it('says STORE_TAKEN afterwards when it had been carried out all the same', async () => {
    storage.onCommitted = () => {
      throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    expect(await refusal(() => store.commit([{ ...HOT, plaintext: bytes('one') }]))).toBe('STORE_UNCERTAIN');
    storage.onCommitted = () => undefined;
    expect(await refusal(() => store.commit([]))).toBe('STORE_TAKEN');
    expect(await (await reopen()).read(HOT)).toEqual(bytes('one'));
  });

  it('keeps nobody behind it from trying', async () => {
    storage.onCommit = (number) => {
      if (number === 2) throw new ControlError('CONTROL_TIMEOUT', 'as the test has it');
    };
    const [first, second] = await Promise.allSettled([
      store.commit([{ ...HOT, plaintext: bytes('one') }]),
      store.commit([{ ...COLD, plaintext: bytes('two') }]),
    ]);
    expect([first.status, second.status]).toEqual(['rejected', 'fulfilled']);
    expect(await (await reopen()).read(COLD)).toEqual(bytes('two'));
  });
});

describe('a store that was tampered with', () => {
  beforeEach(async () => {
    await store.commit([
      { ...HOT, plaintext: bytes('one') },
      { ...COLD, plaintext: bytes('two') },
    ]);
  });

  it('does not open under another password or for another node', async () => {
    const node2 = { namespace: 'demo', environment: 'test', node: 2 };
    const other = deriveStoreKey(new Uint8Array(32).fill(7), node2);
    expect(await refusal(() => SealedStore.open(storage, other))).toBe('STORE_ROOT_UNREADABLE');
  });

  it.each<[string, string, () => void]>([
    [
      'an altered root record',
      'STORE_ROOT_UNREADABLE',
      () => storage.tamper(ROOT, { bytes: new Uint8Array(64) }),
    ],
    [
      'a root record of another revision',
      'STORE_ROOT_UNREADABLE',
      () => storage.tamper(ROOT, { revision: 9 }),
    ],
    ['no root record', 'STORE_RECORD_MISSING', () => storage.records.delete(ROOT)],
    ['a record missing', 'STORE_RECORD_MISSING', () => storage.records.delete('keys/hot')],
    [
      'a record of another revision',
      'STORE_RECORD_ALTERED',
      () => storage.tamper('keys/hot', { revision: 2 }),
    ],
    [
      'a record that it never wrote',
      'STORE_RECORD_UNKNOWN',
      () => storage.records.set('keys/new', { table: 'keys', id: 'new', revision: 1, bytes: bytes('x') }),
    ],
  ])('does not open with %s', async (_, code, tamper) => {
    tamper();
    expect(await refusal(reopen)).toBe(code);
  });

  it('reads no record that was swapped with another', async () => {
    const [hot, cold] = [storage.records.get('keys/hot'), storage.records.get('keys/cold')];
    storage.tamper('keys/hot', { bytes: cold?.bytes ?? new Uint8Array() });
    storage.tamper('keys/cold', { bytes: hot?.bytes ?? new Uint8Array() });
    const opened = await reopen();
    expect(await refusal(() => opened.read(HOT))).toBe('STORE_RECORD_ALTERED');
    expect(await refusal(() => opened.read(COLD))).toBe('STORE_RECORD_ALTERED');
  });

  it('reads no older content of a record, whatever revision the parent gives it', async () => {
    const old = storage.records.get('keys/hot')?.bytes ?? new Uint8Array();
    await store.commit([{ ...HOT, plaintext: bytes('three') }]);
    storage.tamper('keys/hot', { bytes: old });
    expect(await refusal(() => store.read(HOT))).toBe('STORE_RECORD_ALTERED');
    storage.tamper('keys/hot', { bytes: old, revision: 1 });
    expect(await refusal(() => store.read(HOT))).toBe('STORE_RECORD_ALTERED');
    expect(await refusal(reopen)).toBe('STORE_RECORD_ALTERED');
  });

  it('does not open with an older root record beside newer records', async () => {
    const old = storage.records.get(ROOT);
    await store.commit([{ ...HOT, plaintext: bytes('three') }]);
    storage.tamper(ROOT, { ...old });
    expect(await refusal(reopen)).toBe('STORE_RECORD_ALTERED');
  });

  it('says so when a record goes while it is open', async () => {
    storage.records.delete('keys/hot');
    expect(await refusal(() => store.read(HOT))).toBe('STORE_RECORD_MISSING');
  });
});
