import type { RecordListing, StoredRecord } from '../../shared/protocol/control-client.ts';
import type { RecordKey, RecordWrite } from '../../shared/protocol/control.ts';

/** Where a node's sealed records lie. It sees ciphertext only, and gives it to one owner at a time. */
export interface RecordStore {
  /** Called when an owner may come soon: makes ready what takes its time, and takes nothing. */
  prepare?(): void;
  /** Takes the store. @throws RecordStoreError STORE_BUSY while somebody else has it, STORE_FAILED */
  open(): Promise<RecordSession>;
}

/** A record with its place. */
export interface KeptRecord extends RecordKey, StoredRecord {}

/** The store in the hands of its one owner. All methods throw RecordStoreError STORE_FAILED when it breaks. */
export interface RecordSession {
  read(key: RecordKey): Promise<StoredRecord | null>;
  list(): Promise<readonly RecordListing[]>;
  /**
   * All writes or none; once it returns they survive a crash. No record may be named twice.
   * @throws RecordStoreError STORE_CONFLICT, STORE_FULL
   */
  commit(writes: readonly RecordWrite[]): Promise<void>;
  /**
   * Puts a backup's records into an empty store, at the revisions that they had.
   * @throws RecordStoreError STORE_CONFLICT when it is not empty
   */
  restore(records: readonly KeptRecord[]): Promise<void>;
  /** Gives the store up. */
  close(): Promise<void>;
}

/** Whether a commit makes records that were not there. */
export function hasInsert(writes: readonly RecordWrite[]): boolean {
  return writes.some(({ expectedRevision }) => expectedRevision === 0);
}
