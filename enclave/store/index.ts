export { StoreError } from './errors.ts';
export { deriveStoreKey } from './record-cipher.ts';
export { PASSWORD_BLOB, type RecordChange, type RecordKeeper, ROOT, SealedStore } from './sealed-store.ts';
