import {
  type LogAddition,
  MAX_RECORDS,
  type RecordKey,
  type RecordWrite,
} from '../../shared/protocol/control.ts';
import {
  MAX_READ_ENTRIES,
  RecordStoreError,
  type KeptEntries,
  type KeptRecord,
  type RecordStore,
} from '../../parent/index.ts';

type Records = ReadonlyMap<
  string,
  { readonly key: RecordKey; readonly revision: number; readonly bytes: Uint8Array }
>;

/** Entries of a log: those before `first` were dropped. */
interface Entries {
  readonly first: number;
  readonly kept: readonly Uint8Array[];
}

/** All records and entries at one moment. Opaque; kept to be put back. */
export interface StoreSnapshot {
  readonly records: Records;
  readonly entries: Entries;
}

/** Store in memory that can be rolled back under its owner, as a parent can roll back a disk. */
export interface MemoryStore extends RecordStore {
  snapshot(): StoreSnapshot;
  restore(snapshot: StoreSnapshot): void;
}

const slot = ({ table, id }: RecordKey) => `${table}/${id}`;

export function createMemoryStore(): MemoryStore {
  let records: Records = new Map();
  let entries: Entries = { first: 0, kept: [] };
  let isOwned = false;

  function apply(
    target: Map<string, { key: RecordKey; revision: number; bytes: Uint8Array }>,
    write: RecordWrite,
  ) {
    const key = { table: write.table, id: write.id };
    const revision = target.get(slot(key))?.revision ?? 0;
    if (revision !== write.expectedRevision || (revision === 0 && write.bytes === null)) {
      throw new RecordStoreError('STORE_CONFLICT', 'a record is at another revision', key);
    }
    if (write.bytes === null) target.delete(slot(key));
    else target.set(slot(key), { key, revision: revision + 1, bytes: write.bytes.slice() });
  }

  return {
    snapshot: () => ({ records, entries }),
    restore(snapshot) {
      ({ records, entries } = snapshot);
    },
    async open() {
      if (isOwned) throw new RecordStoreError('STORE_BUSY', 'the store has another owner');
      isOwned = true;
      let isOpen = true;
      const assertOpen = () => {
        if (!isOpen) throw new RecordStoreError('STORE_FAILED', 'the store was given up');
      };
      return await Promise.resolve({
        async read(key: RecordKey) {
          assertOpen();
          const record = records.get(slot(key));
          return await Promise.resolve(
            record === undefined ? null : { revision: record.revision, bytes: record.bytes.slice() },
          );
        },
        async list() {
          assertOpen();
          return await Promise.resolve(
            [...records.values()].map(({ key, revision }) => ({ ...key, revision })),
          );
        },
        async commit(writes: readonly RecordWrite[], log?: LogAddition) {
          assertOpen();
          const next = new Map(records);
          for (const write of writes) apply(next, write);
          if (next.size > MAX_RECORDS) throw new RecordStoreError('STORE_FULL', 'too many records');
          if (log !== undefined && log.start !== entries.first + entries.kept.length) {
            throw new RecordStoreError('STORE_CONFLICT', 'the log has another size');
          }
          records = next;
          if (log !== undefined) {
            const added = log.entries.map((bytes) => bytes.slice());
            entries = { first: entries.first, kept: [...entries.kept, ...added] };
          }
          await Promise.resolve();
        },
        async logBounds() {
          assertOpen();
          const { first, kept } = entries;
          return await Promise.resolve({ first, size: first + kept.length });
        },
        async readEntries(start: number, count: number) {
          assertOpen();
          const from = Math.max(start - entries.first, 0);
          const end = from + Math.min(count, MAX_READ_ENTRIES);
          return await Promise.resolve(entries.kept.slice(from, end).map((bytes) => bytes.slice()));
        },
        async dropEntries(before: number) {
          assertOpen();
          const first = Math.max(Math.min(before, entries.first + entries.kept.length - 1), entries.first);
          entries = { first, kept: entries.kept.slice(first - entries.first) };
          await Promise.resolve();
        },
        async restore(kept: readonly KeptRecord[], log?: KeptEntries) {
          assertOpen();
          if (records.size > 0 || entries.kept.length > 0)
            throw new RecordStoreError('STORE_CONFLICT', 'the store is not empty');
          records = new Map(
            kept.map(({ table, id, revision, bytes }) => {
              const key = { table, id };
              return [slot(key), { key, revision, bytes: bytes.slice() }];
            }),
          );
          if (log !== undefined) entries = { first: log.start, kept: log.entries };
          await Promise.resolve();
        },
        async close() {
          if (isOpen) isOwned = false;
          isOpen = false;
          await Promise.resolve();
        },
      });
    },
  };
}
