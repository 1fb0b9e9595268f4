export { StoreError } from './errors.ts';
export { deriveStoreKey } from './record-cipher.ts';
export type { LogState } from './root-record.ts';
export {
  MAX_SEALED_RECORDS,
  PASSWORD_BLOB,
  type RecordChange,
  type RecordStorage,
  ROOT,
  SealedStore,
} from './sealed-store.ts';
