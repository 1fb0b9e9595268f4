import { beforeAll, describe, expect, it } from 'vitest';
import { deriveStoreKey, MAX_SEALED_RECORDS, SealedStore } from '../../../enclave/store/index.ts';
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES } from '../../../shared/frames/frame-codec.ts';
import {
  controlRequestSchema,
  MAX_CONTROL_FRAME_BYTES,
  MAX_RECORDS,
  type RecordWrite,
} from '../../../shared/protocol/control.ts';
import { MemoryRecordStorage } from './memory-record-storage.ts';

const key = deriveStoreKey(new Uint8Array(32).fill(7), { namespace: 'demo', environment: 'test', node: 1 });
const STATE = { order: 'first-start', configuration: { version: 1, digest: new Uint8Array(48) }, boots: 1 };
/** What a configuration may name at once, and order to drop at once. */
const BATCH = 1024;
/** The longest names that a configuration may give, and about as many bytes as a sealed key has. */
const nameOf = (index: number) => `key-${index}-`.padEnd(63, 'x');
const makeKeys = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    table: 'keys',
    id: nameOf(from + index),
    plaintext: new Uint8Array(64).fill(index),
  }));

/** A parent that is asked in frames, as the real one is. */
class FramedKeeper extends MemoryRecordStorage {
  largest = 0;
  override async commit(writes: readonly RecordWrite[]): Promise<void> {
    const frame = encodeFrame({ type: 'store-commit', writes }, MAX_CONTROL_FRAME_BYTES);
    this.largest = Math.max(this.largest, frame.length);
    decodeFrame(frame.subarray(FRAME_LENGTH_BYTES), controlRequestSchema);
    await super.commit(writes);
  }
}

const storage = new FramedKeeper();
let store: SealedStore;

async function takeTime(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

beforeAll(async () => {
  store = SealedStore.create(storage, key, STATE, new Uint8Array(200));
  for (let from = 0; from < MAX_SEALED_RECORDS; from += BATCH) await store.commit(makeKeys(from, BATCH));
}, 120_000);

describe('a store with as many records as it may have', () => {
  it('was filled with as many keys at a time as a configuration may name', () => {
    expect(store.size).toBe(MAX_SEALED_RECORDS);
    expect(MAX_SEALED_RECORDS % BATCH).toBe(0);
    expect(storage.records.size).toBeLessThan(MAX_RECORDS);
    expect(storage.largest).toBeLessThan(MAX_CONTROL_FRAME_BYTES);
  });

  it('says STORE_FULL to one more, and has then sent nothing', async () => {
    const before = storage.commits.length;
    await expect(store.commit(makeKeys(MAX_SEALED_RECORDS, 1))).rejects.toMatchObject({
      code: 'STORE_FULL',
      details: { actual: MAX_SEALED_RECORDS + 1, maximum: MAX_SEALED_RECORDS },
    });
    expect(storage.commits).toHaveLength(before);
    expect(store.size).toBe(MAX_SEALED_RECORDS);
  });

  it('still writes what it has, and its state: a few thousand bytes in a few records', async () => {
    await store.commit([{ table: 'keys', id: nameOf(7), plaintext: Uint8Array.of(1) }], { boots: 2 });
    const writes = storage.commits.at(-1) ?? [];
    expect(writes.length).toBeLessThanOrEqual(8);
    expect(writes.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0)).toBeLessThan(8_000);
    await store.commit([], { boots: 3 });
    expect(storage.commits.at(-1)).toHaveLength(1);
  });

  it('drops as many records as a configuration may order while it makes as many', async () => {
    const drops = makeKeys(0, BATCH).map(({ table, id }) => ({ table, id, plaintext: null }));
    await store.commit([...drops, ...makeKeys(MAX_SEALED_RECORDS, BATCH)]);
    expect(store.size).toBe(MAX_SEALED_RECORDS);
    expect(await store.read({ table: 'keys', id: nameOf(0) })).toBeNull();
    expect(await store.read({ table: 'keys', id: nameOf(MAX_SEALED_RECORDS) })).not.toBeNull();
  });

  it('opens within bounds of time and memory', async () => {
    const before = process.memoryUsage();
    let opened: SealedStore | undefined;
    const time = await takeTime(async () => {
      opened = await SealedStore.open(storage, key);
    });
    const after = process.memoryUsage();
    expect(opened?.size).toBe(MAX_SEALED_RECORDS);
    // Some 300 ms and 30 MB on one core of today, garbage included.
    expect(time).toBeLessThan(5_000);
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(
      128 * 2 ** 20,
    );
  });
});

describe('a commit of more than one frame carries', () => {
  it('is refused with STORE_FULL before anything is sent, by its bytes or its number of writes', async () => {
    const other = new FramedKeeper();
    const fresh = SealedStore.create(other, key, STATE, undefined);
    const large = makeKeys(0, 20).map((one) => ({ ...one, plaintext: new Uint8Array(250_000) }));
    await expect(fresh.commit(large)).rejects.toMatchObject({
      code: 'STORE_FULL',
      details: { what: 'bytes in one commit' },
    });
    await expect(fresh.commit(makeKeys(0, 3600))).rejects.toMatchObject({
      code: 'STORE_FULL',
      details: { what: 'writes in one commit' },
    });
    expect(other.commits).toHaveLength(0);
    await fresh.commit(makeKeys(0, 3));
    expect((await SealedStore.open(other, key)).size).toBe(3);
  });

  it('has no place for a record that is longer than one may be, nor for one in a table of the store', async () => {
    const fresh = SealedStore.create(new FramedKeeper(), key, STATE, undefined);
    const plaintext = new Uint8Array(256 * 1024 - 28);
    await expect(fresh.commit([{ table: 'keys', id: 'a', plaintext }])).rejects.toThrow(RangeError);
    for (const table of ['store', 'index', 'boot']) {
      await expect(fresh.commit([{ table, id: '0', plaintext: null }])).rejects.toThrow(RangeError);
    }
    const twice = { table: 'keys', id: 'a', plaintext: Uint8Array.of(1) };
    await expect(fresh.commit([twice, twice])).rejects.toThrow(RangeError);
  });
});
