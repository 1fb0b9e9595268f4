export {
  type Acknowledgement,
  ACKNOWLEDGEMENT_PAYLOAD_TYPE,
  encodeAcknowledgement,
  MAX_ACKNOWLEDGEMENT_BYTES,
  parseAcknowledgement,
} from './acknowledgement.ts';
export {
  type Backup,
  COLD_BACKUP_PAYLOAD_TYPE,
  encodeBackup,
  encodeColdBackup,
  MAX_BACKUP_BYTES,
  parseBackup,
} from './backup.ts';
export {
  encodeBackupAad,
  encodeBackupInfo,
  encodeBackupProof,
  joinCiphertext,
  partCiphertext,
  sha384Hex,
} from './binding.ts';
export { BackupError, type BackupErrorCode } from './errors.ts';
export {
  type BackupEntry,
  type BackupHead,
  type BackupStatement,
  COLD_STATEMENT_FORMAT,
  encodeStatement,
  MAX_BACKUP_ENTRIES,
  parseStatement,
  type PublicEntry,
  type ShareEntry,
  STATEMENT_FORMAT,
} from './statement.ts';
