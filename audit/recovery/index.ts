export { type BackupCoverage, describeCoverage, type EpochBackups, type WholeBackup } from './coverage.ts';
export { BackupAuditError, type BackupAuditErrorCode } from './errors.ts';
export { type BackupTrust, groupOf, type VerifiedBackup, verifyBackup } from './verify.ts';
