import type { RecordListing, StoredRecord } from '../../shared/protocol/control-client.ts';
import type { RecordKey, RecordWrite } from '../../shared/protocol/control.ts';

/** Store of a node's sealed records. The store sees ciphertext only, and has one owner at a time. */
export interface RecordStore {
  /** Called when an owner may come soon: prepares slow parts without taking ownership. */
  prepare?(): void;
  /** Takes ownership of the store. @throws RecordStoreError STORE_BUSY while it has another owner, STORE_FAILED */
  open(): Promise<RecordSession>;
}

/** Record with its table and id. */
export interface KeptRecord extends RecordKey, StoredRecord {}

/** Store in the hands of its one owner. All methods throw RecordStoreError STORE_FAILED when the store breaks. */
export interface RecordSession {
  read(key: RecordKey): Promise<StoredRecord | null>;
  list(): Promise<readonly RecordListing[]>;
  /**
   * Writes all or nothing; once it returns, the writes survive a crash. No record may be named twice.
   * @throws RecordStoreError STORE_CONFLICT, STORE_FULL
   */
  commit(writes: readonly RecordWrite[]): Promise<void>;
  /**
   * Puts a backup's records into an empty store, at the revisions that they had.
   * @throws RecordStoreError STORE_CONFLICT when the store is not empty
   */
  restore(records: readonly KeptRecord[]): Promise<void>;
  /** Releases the store. */
  close(): Promise<void>;
}

/** Tells whether a commit makes records that were not there. */
export function hasInsert(writes: readonly RecordWrite[]): boolean {
  return writes.some(({ expectedRevision }) => expectedRevision === 0);
}
