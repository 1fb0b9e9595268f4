export { createFileAdmission } from './artifacts/admission.ts';
export { createFileSecrets, readArtifactFile } from './artifacts/files.ts';
export type { ControlSources, SecretSource } from './control/sources.ts';
export type { EgressTarget } from './egress/targets.ts';
export { joinStreams } from './common/forward.ts';
export { createJsonLog, type Log } from './common/log.ts';
export type { ParentOptions } from './config/options.ts';
export { startParent, type Parent } from './parent.ts';
export { RecordStoreError, type RecordStoreErrorCode } from './store/errors.ts';
export {
  MAX_READ_ENTRIES,
  type KeptEntries,
  type KeptRecord,
  type RecordSession,
  type RecordStore,
} from './store/record-store.ts';
export { createSqliteStore } from './store/sqlite-store.ts';
