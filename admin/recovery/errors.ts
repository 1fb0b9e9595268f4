import { HoldfastError } from '../../shared/errors.ts';

export type RecoveryCeremonyErrorCode =
  /** The words are no share: too few, a word that is none, or a checksum that does not fit. */
  | 'CUSTODIAN_SHARE_MALFORMED'
  /** Shares of different keys, or made with different thresholds. */
  | 'CUSTODIAN_SHARES_DIFFER'
  /** Fewer custodians than it takes. */
  | 'CUSTODIANS_TOO_FEW'
  /** The share is none of those that the list of custodians names. */
  | 'CUSTODIAN_UNKNOWN'
  /** The list of custodians is not one. */
  | 'CUSTODIANS_MALFORMED'
  /** A custodian's key is no RSA key of at least 4096 bits. */
  | 'CUSTODIAN_KEY_INVALID'
  /** Together the shares give another key, or their digest does not fit. */
  | 'RECOVERY_KEY_MISMATCH'
  /** A ciphertext does not open with the recovery key. */
  | 'BACKUP_UNREADABLE'
  /** What was encrypted is not what the enclave has said of it. */
  | 'BACKUP_CONTENT_MISMATCH'
  /** The backups are of several vaults. */
  | 'BACKUP_OTHER_VAULT'
  /** The backups hold different keys under one name. */
  | 'BACKUP_KEYS_DIFFER'
  /** No backup holds the key. */
  | 'BACKUP_KEY_ABSENT'
  /** Enough nodes have a backup, but of different epochs, whose shares do not fit together. */
  | 'BACKUP_EPOCHS_MIXED'
  /** Fewer nodes than the threshold have a backup of the key. */
  | 'BACKUP_SHARES_TOO_FEW'
  /** The recovered key does not sign as its public key says. */
  | 'DRILL_FAILED'
  /** A key of this type cannot be taken up by a node. */
  | 'KEY_NOT_IMPORTABLE'
  /** The file is not the import of a key. */
  | 'KEY_IMPORT_MALFORMED'
  /** The new node is ruled by other authorities than were named, or by unnamed ones and has another recovery key. */
  | 'IMPORT_TARGET_UNKNOWN'
  /** The attestation document is not one that a node serves with: it binds no import key. */
  | 'IMPORT_TARGET_INVALID';

/** What a recovery refuses: shares of custodians, backups, or what came out of them. */
export class RecoveryCeremonyError extends HoldfastError<RecoveryCeremonyErrorCode> {}
