export { encodeChallenge, hashOf, messageOf, type ProvenKey, verifyChallenge } from './challenge.ts';
export { type BackupCoverage, describeCoverage, type EpochBackups, type WholeBackup } from './coverage.ts';
export { type DrillVault, findLastProofs } from './due.ts';
export { BackupAuditError, type BackupAuditErrorCode } from './errors.ts';
export { type ColdBackup, type ColdBackupTrust, type ColdSigner, verifyColdBackup } from './cold.ts';
export {
  type AttestedBackup,
  type BackupTrust,
  groupOf,
  type VerifiedBackup,
  verifyBackup,
} from './verify.ts';
export {
  type Drill,
  type DrillCore,
  DRILL_PAYLOAD_TYPE,
  encodeDrill,
  MAX_DRILL_BYTES,
  type Proven,
  assertDrillFor,
  assertDrillOf,
  verifyDrill,
} from './drill.ts';
