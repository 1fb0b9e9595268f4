import { HoldfastError } from '../../shared/errors.ts';

export type RecoveryErrorCode =
  /** The node holds nothing of the key that could be backed up, or the pool has no key after the one that was named. */
  | 'BACKUP_EMPTY'
  /** The recovery key of the manifest is no key to encrypt to. */
  | 'RECOVERY_KEY_INVALID'
  /** No keeper of the configuration has signed the acknowledgement, or it is not one. */
  | 'ACKNOWLEDGEMENT_INVALID'
  /** The acknowledgement is of a backup of another node or key, or of one that this node does not know any more. */
  | 'ACKNOWLEDGEMENT_UNKNOWN';

/** What a node refuses of a backup or of its acknowledgement. */
export class RecoveryError extends HoldfastError<RecoveryErrorCode> {}
