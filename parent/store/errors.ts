import { HoldfastError } from '../../shared/errors.ts';

export type RecordStoreErrorCode =
  /** A file that is no backup of records; nothing was written. */
  | 'STORE_BACKUP_INVALID'
  /** The log's entries in the store are longer than a backup may be. */
  | 'STORE_BACKUP_TOO_LARGE'
  /** Another process or session owns the store. */
  | 'STORE_BUSY'
  /** A record was at another revision, or the log of another size, than expected; nothing was written. */
  | 'STORE_CONFLICT'
  /** The database failed: disk full, file damaged, server gone. Nothing was written as far as it says. */
  | 'STORE_FAILED'
  /** The password of the database was not to be had: no secret, no permission, no connection to AWS. */
  | 'STORE_PASSWORD_UNAVAILABLE'
  /** The store would hold more than MAX_RECORDS; nothing was written. */
  | 'STORE_FULL'
  /** The store has a format that this version does not know. */
  | 'STORE_FORMAT_UNKNOWN';

export class RecordStoreError extends HoldfastError<RecordStoreErrorCode> {}
