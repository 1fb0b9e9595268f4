import type { RecordListing, StoredRecord } from '../../shared/protocol/control-client.ts';
import type { LogAddition, RecordKey, RecordWrite } from '../../shared/protocol/control.ts';

/** Store of a node's sealed records. The store sees ciphertext only, and has one owner at a time. */
export interface RecordStore {
  /** Called when an owner may come soon: prepares slow parts without taking ownership. */
  prepare?(): void;
  /** Takes ownership of the store. @throws RecordStoreError STORE_BUSY while it has another owner, STORE_FAILED */
  open(): Promise<RecordSession>;
}

/** The most entries in one response to a read: those of one bundle of tlog-tiles. */
export const MAX_READ_ENTRIES = 256;

/** Entries of a log from the index `first` up to `size`, which is the number of entries that the log ever got. */
export interface LogBounds {
  readonly first: number;
  readonly size: number;
}

/** Entries of a backup: those before `start` are not part of it. */
export interface KeptEntries {
  readonly start: number;
  readonly entries: readonly Uint8Array[];
}

/** Record with its table and id. */
export interface KeptRecord extends RecordKey, StoredRecord {}

/** Store in the hands of its one owner. All methods throw RecordStoreError STORE_FAILED when the store breaks. */
export interface RecordSession {
  read(key: RecordKey): Promise<StoredRecord | null>;
  list(): Promise<readonly RecordListing[]>;
  /**
   * Writes all records and appends all entries to the node's log, or does nothing; once it returns, both survive a
   * crash. No record may be named twice.
   * @throws RecordStoreError STORE_CONFLICT, STORE_FULL
   */
  commit(writes: readonly RecordWrite[], log?: LogAddition): Promise<void>;
  /** Returns the indices of the entries that the store has: those before `first` lie elsewhere and were dropped. */
  logBounds(): Promise<LogBounds>;
  /** Reads up to `count` entries of the log from `start` on, {@link MAX_READ_ENTRIES} at most. */
  readEntries(start: number, count: number): Promise<readonly Uint8Array[]>;
  /** Drops the entries before an index, but never the last one, by which the store knows the size of the log. */
  dropEntries(before: number): Promise<void>;
  /**
   * Puts a backup's records and entries into an empty store: records at the revisions that they had, the log continued
   * from its `start`.
   * @throws RecordStoreError STORE_CONFLICT when the store is not empty
   */
  restore(records: readonly KeptRecord[], log?: KeptEntries): Promise<void>;
  /** Releases the store. */
  close(): Promise<void>;
}

/** Tells whether a commit makes records that were not there. */
export function hasInsert(writes: readonly RecordWrite[]): boolean {
  return writes.some(({ expectedRevision }) => expectedRevision === 0);
}
