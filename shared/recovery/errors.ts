import { HoldfastError } from '../errors.ts';

export type BackupErrorCode =
  /** Not a backup in its one form. */
  | 'BACKUP_MALFORMED'
  /** A ciphertext is not the one that the statement of its node names. */
  | 'BACKUP_ALTERED'
  /** Not an acknowledgement in its one form. */
  | 'ACKNOWLEDGEMENT_MALFORMED';

/** What a backup is refused for before anybody decrypts it. */
export class BackupError extends HoldfastError<BackupErrorCode> {}
