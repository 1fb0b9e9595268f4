export { FrostError, type FrostErrorCode } from './errors.ts';
export { type HeldShare, holdCurrent, NOBLE_ARITHMETIC, type ShareArithmetic } from './held-share.ts';
export {
  type ExpectedShare,
  generateImportKey,
  type ImportKey,
  openImportedKey,
  openShare,
} from './share-import.ts';
export {
  clearShareRecord,
  decodeShareRecord,
  encodeShareRecord,
  epochOf,
  type EpochShare,
  type KeptCeremony,
  MAX_PENDING_EPOCHS,
  MAX_SHARE_HISTORY,
  type PendingEpoch,
  publicKeyOf,
  type ShareRecord,
} from './share-record.ts';
