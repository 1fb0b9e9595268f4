import { describe, expect, test } from 'vitest';
import { MAX_RECORDS } from '../../../shared/protocol/control.ts';
import type { RecordSession, RecordStore } from '../../../parent/index.ts';
import { restoreBackup, writeBackup } from '../../../parent/store/backup.ts';
import { encodeCbor } from '../../../shared/cbor/index.ts';

/** A place that several stores can be made for, as several processes would. */
export interface StorePlace {
  makeStore(): RecordStore;
  remove(): Promise<void>;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

/** Describes what every store does, each test on a fresh place. */
export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  async function withPlace(act: (place: StorePlace) => Promise<void>): Promise<void> {
    const place = await makePlace();
    try {
      await act(place);
    } finally {
      await place.remove();
    }
  }

  async function withSession(
    act: (session: RecordSession, place: StorePlace) => Promise<void>,
  ): Promise<void> {
    await withPlace(async (place) => {
      const session = await place.makeStore().open();
      try {
        await act(session, place);
      } finally {
        await session.close();
      }
    });
  }

  describe(`as a record store: ${name}`, () => {
    test('holds nothing at first', async () => {
      await withSession(async (session) => {
        expect(await session.list()).toEqual([]);
        expect(await session.read({ table: 'keys', id: 'one' })).toBeNull();
      });
    });

    test('counts the writes of a record from 1', async () => {
      await withSession(async (session) => {
        for (let revision = 1; revision <= 3; revision += 1) {
          const content = bytes(`write ${revision}`);
          await session.commit([
            { table: 'keys', id: 'one', expectedRevision: revision - 1, bytes: content },
          ]);
          expect(await session.read({ table: 'keys', id: 'one' })).toEqual({ revision, bytes: content });
        }
        expect(await session.list()).toEqual([{ table: 'keys', id: 'one', revision: 3 }]);
      });
    });

    test('keeps every byte, none included', async () => {
      await withSession(async (session) => {
        const all = Uint8Array.from({ length: 256 }, (_, index) => index);
        await session.commit([
          { table: 'keys', id: 'all', expectedRevision: 0, bytes: all },
          { table: 'keys', id: 'empty', expectedRevision: 0, bytes: new Uint8Array(0) },
        ]);
        expect((await session.read({ table: 'keys', id: 'all' }))?.bytes).toEqual(all);
        expect((await session.read({ table: 'keys', id: 'empty' }))?.bytes).toEqual(new Uint8Array(0));
      });
    });

    test('tells records of the same id in two tables apart', async () => {
      await withSession(async (session) => {
        await session.commit([
          { table: 'keys', id: 'one', expectedRevision: 0, bytes: bytes('key') },
          { table: 'shares', id: 'one', expectedRevision: 0, bytes: bytes('share') },
        ]);
        expect((await session.read({ table: 'shares', id: 'one' }))?.bytes).toEqual(bytes('share'));
      });
    });

    test.each([
      ['a record that is there already', 0],
      ['an older revision', 1],
      ['a revision that has not been', 3],
    ])('refuses a write that expects %s', async (_name, expectedRevision) => {
      await withSession(async (session) => {
        const key = { table: 'keys', id: 'one' };
        await session.commit([{ ...key, expectedRevision: 0, bytes: bytes('first') }]);
        await session.commit([{ ...key, expectedRevision: 1, bytes: bytes('second') }]);
        await expect(
          session.commit([{ ...key, expectedRevision, bytes: bytes('third') }]),
        ).rejects.toMatchObject({ name: 'RecordStoreError', code: 'STORE_CONFLICT' });
        expect(await session.read(key)).toEqual({ revision: 2, bytes: bytes('second') });
      });
    });

    test('writes nothing of a commit in which one record conflicts', async () => {
      await withSession(async (session) => {
        await session.commit([{ table: 'keys', id: 'b', expectedRevision: 0, bytes: bytes('b') }]);
        await expect(
          session.commit([
            { table: 'keys', id: 'a', expectedRevision: 0, bytes: bytes('a') },
            { table: 'keys', id: 'b', expectedRevision: 0, bytes: bytes('other') },
            { table: 'keys', id: 'c', expectedRevision: 0, bytes: bytes('c') },
          ]),
        ).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
        expect(await session.list()).toEqual([{ table: 'keys', id: 'b', revision: 1 }]);
        await session.commit([{ table: 'keys', id: 'a', expectedRevision: 0, bytes: bytes('a') }]);
        expect(await session.list()).toHaveLength(2);
      });
    });

    test('deletes, counts anew after it, and refuses to delete what is not there', async () => {
      await withSession(async (session) => {
        const key = { table: 'keys', id: 'one' };
        await session.commit([{ ...key, expectedRevision: 0, bytes: bytes('first') }]);
        await expect(session.commit([{ ...key, expectedRevision: 2, bytes: null }])).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        await session.commit([{ ...key, expectedRevision: 1, bytes: null }]);
        expect(await session.read(key)).toBeNull();
        await expect(session.commit([{ ...key, expectedRevision: 0, bytes: null }])).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        await session.commit([{ ...key, expectedRevision: 0, bytes: bytes('again') }]);
        expect(await session.read(key)).toEqual({ revision: 1, bytes: bytes('again') });
      });
    });

    test('holds so many records and no more', async () => {
      await withSession(async (session) => {
        for (let start = 0; start < MAX_RECORDS; start += 1024) {
          const writes = Array.from({ length: 1024 }, (_, index) => ({
            table: 'keys',
            id: `key-${start + index}`,
            expectedRevision: 0,
            bytes: bytes('x'),
          }));
          await session.commit(writes);
        }
        await expect(
          session.commit([{ table: 'keys', id: 'one-more', expectedRevision: 0, bytes: bytes('x') }]),
        ).rejects.toMatchObject({ code: 'STORE_FULL' });
        expect(await session.list()).toHaveLength(MAX_RECORDS);
      });
    });

    test('is in one pair of hands at a time, and goes to the next when it is given up', async () => {
      await withPlace(async (place) => {
        const store = place.makeStore();
        const first = await store.open();
        await first.commit([{ table: 'keys', id: 'one', expectedRevision: 0, bytes: bytes('kept') }]);
        await expect(store.open()).rejects.toMatchObject({ name: 'RecordStoreError', code: 'STORE_BUSY' });
        await expect(place.makeStore().open()).rejects.toMatchObject({ code: 'STORE_BUSY' });
        await first.close();
        await first.close();
        const second = await place.makeStore().open();
        await expect(store.open()).rejects.toMatchObject({ code: 'STORE_BUSY' });
        expect((await second.read({ table: 'keys', id: 'one' }))?.bytes).toEqual(bytes('kept'));
        await second.close();
      });
    });

    test('appends entries with its records, or neither', async () => {
      await withSession(async (session, place) => {
        const write = { table: 'keys', id: 'one', expectedRevision: 0, bytes: bytes('x') };
        expect(await session.logBounds()).toEqual({ first: 0, size: 0 });
        await session.commit([write], { start: 0, entries: [bytes('a'), new Uint8Array(0)] });
        const next = { ...write, expectedRevision: 1 };
        for (const start of [0, 1, 3]) {
          await expect(session.commit([next], { start, entries: [bytes('b')] })).rejects.toMatchObject({
            code: 'STORE_CONFLICT',
          });
        }
        await expect(session.commit([write], { start: 2, entries: [bytes('b')] })).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        expect(await session.list()).toEqual([{ table: 'keys', id: 'one', revision: 1 }]);
        expect(await session.logBounds()).toEqual({ first: 0, size: 2 });
        await session.commit([next], { start: 2, entries: [bytes('b')] });
        await session.close();
        const again = await place.makeStore().open();
        expect(await again.readEntries(0, 256)).toEqual([bytes('a'), new Uint8Array(0), bytes('b')]);
        expect(await again.readEntries(1, 1)).toEqual([new Uint8Array(0)]);
        expect(await again.readEntries(3, 256)).toEqual([]);
        await again.close();
      });
    });

    test('reads no more than a bundle of entries at once', async () => {
      await withSession(async (session) => {
        const write = { table: 'keys', id: 'one', bytes: bytes('x') };
        const entries = Array.from({ length: 200 }, (_, index) => Uint8Array.of(index));
        await session.commit([{ ...write, expectedRevision: 0 }], { start: 0, entries });
        await session.commit([{ ...write, expectedRevision: 1 }], { start: 200, entries });
        expect(await session.readEntries(100, 1_000)).toHaveLength(256);
        expect((await session.readEntries(199, 2)).map(([byte]) => byte)).toEqual([199, 0]);
      });
    });

    test('drops entries and still knows how many there were', async () => {
      await withSession(async (session) => {
        const write = { table: 'keys', id: 'one', bytes: bytes('x') };
        const entries = ['a', 'b', 'c'].map(bytes);
        await session.commit([{ ...write, expectedRevision: 0 }], { start: 0, entries });
        await session.dropEntries(1);
        expect(await session.logBounds()).toEqual({ first: 1, size: 3 });
        expect(await session.readEntries(1, 256)).toEqual(entries.slice(1));
        const backup = await writeBackup(session);
        await session.dropEntries(100);
        expect(await session.logBounds()).toEqual({ first: 2, size: 3 });
        await session.commit([{ ...write, expectedRevision: 1 }], { start: 3, entries });
        await withSession(async (other) => {
          expect(await restoreBackup(other, backup)).toBe(1);
          expect(await other.logBounds()).toEqual({ first: 1, size: 3 });
          expect(await other.readEntries(1, 256)).toEqual(entries.slice(1));
        });
      });
    });

    test('gives a backup from which an empty store gets every record at its revision', async () => {
      await withSession(async (session) => {
        const write = { table: 'keys', id: 'one' };
        await session.commit([{ ...write, expectedRevision: 0, bytes: bytes('first') }]);
        await session.commit([
          { ...write, expectedRevision: 1, bytes: bytes('second') },
          { table: 'shares', id: 'two', expectedRevision: 0, bytes: new Uint8Array(0) },
        ]);
        const backup = await writeBackup(session);
        await expect(restoreBackup(session, backup)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
        await withSession(async (other) => {
          expect(await restoreBackup(other, backup)).toBe(2);
          expect(await other.list()).toEqual(await session.list());
          expect(await other.read(write)).toEqual({ revision: 2, bytes: bytes('second') });
          await other.commit([{ ...write, expectedRevision: 2, bytes: bytes('third') }]);
        });
      });
    });

    test('takes nothing from a backup that is none', async () => {
      await withSession(async (session) => {
        const record = { table: 'keys', id: 'one', revision: 1, bytes: bytes('x') };
        const wrong = [
          bytes('no CBOR'),
          encodeCbor({ format: 'holdfast-records/3', records: [] }),
          encodeCbor({ format: 'holdfast-records/2', records: [] }),
          encodeCbor({ format: 'holdfast-records/2', records: [], log: { start: -1, entries: [] } }),
          encodeCbor({ format: 'holdfast-records/1', records: [{ ...record, revision: 0 }] }),
          encodeCbor({ format: 'holdfast-records/1', records: [{ ...record, more: 1 }] }),
          encodeCbor({ format: 'holdfast-records/1', records: [record, record] }),
        ];
        for (const backup of wrong) {
          await expect(restoreBackup(session, backup)).rejects.toMatchObject({
            code: 'STORE_BACKUP_INVALID',
          });
        }
        expect(await session.list()).toEqual([]);
      });
    });

    test('says that it failed when it is used after it was given up', async () => {
      await withPlace(async (place) => {
        const session = await place.makeStore().open();
        await session.close();
        await expect(session.list()).rejects.toMatchObject({
          name: 'RecordStoreError',
          code: 'STORE_FAILED',
        });
      });
    });
  });
}
