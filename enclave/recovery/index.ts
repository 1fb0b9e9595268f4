export { type Keepers, listKeepers, verifyAcknowledgement } from './acknowledgement.ts';
export { type Coverage, createCoverage } from './coverage.ts';
export { BackupRegister, type Keeper, type MadeBackup } from './register.ts';
export { sealBackup, type SealedBackup } from './seal.ts';
export { coverOfShare, listKeySecrets, listPoolSecrets } from './secrets.ts';
