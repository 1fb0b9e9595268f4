import { HoldfastError } from '../../shared/errors.ts';

export type BackupAuditErrorCode =
  /** The attestation document vouches for another statement, or for none. */
  | 'BACKUP_PROOF_MISMATCH'
  /** The backup is of another node than that of the manifest. */
  | 'BACKUP_OTHER_NODE'
  /** The backup is encrypted to another key than the manifest names. */
  | 'BACKUP_OTHER_RECOVERY_KEY'
  /** What the statement says of a share contradicts itself: no enclave of ours has written it. */
  | 'BACKUP_STATEMENT_FALSE'
  /** No manifest at hand is that of the node which made the backup. */
  | 'BACKUP_MANIFEST_MISSING'
  /** Backups of one epoch and key that belong to different groups. */
  | 'BACKUP_GROUPS_DIFFER'
  /** Fewer nodes than the threshold have a backup of one epoch of the key. */
  | 'BACKUPS_TOO_FEW'
  /** The backup is of an epoch that others have gone on from. */
  | 'BACKUP_EPOCH_SUPERSEDED'
  /** The receipt of the log is of another backup, or does not verify. */
  | 'BACKUP_RECEIPT_MISMATCH';

/** What an auditor, who cannot decrypt, refuses of backups. */
export class BackupAuditError extends HoldfastError<BackupAuditErrorCode> {}
