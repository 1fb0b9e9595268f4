import { HoldfastError } from '../../shared/errors.ts';

export type StoreErrorCode =
  /** The root record does not open: altered, of another node, or sealed under another password. */
  | 'STORE_ROOT_UNREADABLE'
  /** The root record has a format that this image does not know: a newer image has written it. */
  | 'STORE_FORMAT_UNKNOWN'
  /** A record that the index names is missing, or the root record is. */
  | 'STORE_RECORD_MISSING'
  /** A record differs from the one that was written last: altered, swapped or rolled back. */
  | 'STORE_RECORD_ALTERED'
  /** A record that this node has never written. */
  | 'STORE_RECORD_UNKNOWN'
  /**
   * No room: too many records, or more changes than one commit carries. Nothing was written, and a retry does not
   * help.
   */
  | 'STORE_FULL'
  /** Another enclave writes to this store, or the store was rolled back while this node ran. */
  | 'STORE_TAKEN'
  /** A write was neither confirmed nor refused. */
  | 'STORE_UNCERTAIN';

export class StoreError extends HoldfastError<StoreErrorCode> {}
