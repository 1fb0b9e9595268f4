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
  /** The backup is of a cold node, which nothing attests, and nobody has said that such a one is meant. */
  | 'BACKUP_NOT_ATTESTED'
  /** No identity at hand is that of the cold node which made the backup. */
  | 'BACKUP_IDENTITY_MISSING'
  /** No manifest at hand is that of the node which made the backup. */
  | 'BACKUP_MANIFEST_MISSING'
  /** Backups of one epoch and key that belong to different groups. */
  | 'BACKUP_GROUPS_DIFFER'
  /** Signed by somebody who may, but not the record of a drill. */
  | 'DRILL_MALFORMED'
  /** A signature in the record is not the recovered key's over the challenge of this drill. */
  | 'DRILL_PROOF_INVALID'
  /** The record is of a key, a recovery key or a vault that the backups at hand do not have. */
  | 'DRILL_OTHER_BACKUPS'
  /** The drill has another nonce than the auditor has sent: it was held before, or for somebody else. */
  | 'DRILL_OTHER_NONCE'
  /** The record is of a drill of another vault than the one that is asked about. */
  | 'DRILL_OTHER_VAULT'
  /** The last drill that was proven is longer ago than the schedule says, or there was none. */
  | 'DRILL_DUE';

/** What an auditor, who cannot decrypt, refuses of backups. */
export class BackupAuditError extends HoldfastError<BackupAuditErrorCode> {}
