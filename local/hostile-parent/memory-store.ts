import { MAX_RECORDS, type RecordKey, type RecordWrite } from '../../shared/protocol/control.ts';
import { RecordStoreError, type KeptRecord, type RecordStore } from '../../parent/index.ts';

type Records = ReadonlyMap<
  string,
  { readonly key: RecordKey; readonly revision: number; readonly bytes: Uint8Array }
>;

/** All records at one moment. Opaque; kept to be put back. */
export interface StoreSnapshot {
  readonly records: Records;
}

/** Store in memory that can be rolled back under its owner, as a parent can roll back a disk. */
export interface MemoryStore extends RecordStore {
  snapshot(): StoreSnapshot;
  restore(snapshot: StoreSnapshot): void;
}

const slot = ({ table, id }: RecordKey) => `${table}/${id}`;

export function createMemoryStore(): MemoryStore {
  let records: Records = new Map();
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
    snapshot: () => ({ records }),
    restore(snapshot) {
      ({ records } = snapshot);
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
        async commit(writes: readonly RecordWrite[]) {
          assertOpen();
          const next = new Map(records);
          for (const write of writes) apply(next, write);
          if (next.size > MAX_RECORDS) throw new RecordStoreError('STORE_FULL', 'too many records');
          records = next;
          await Promise.resolve();
        },
        async restore(kept: readonly KeptRecord[]) {
          assertOpen();
          if (records.size > 0) throw new RecordStoreError('STORE_CONFLICT', 'the store is not empty');
          records = new Map(
            kept.map(({ table, id, revision, bytes }) => {
              const key = { table, id };
              return [slot(key), { key, revision, bytes: bytes.slice() }];
            }),
          );
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
