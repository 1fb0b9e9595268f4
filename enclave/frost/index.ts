export { FrostError, type FrostErrorCode } from './errors.ts';
export { type HeldShare } from './held-share.ts';
export {
  type ExpectedShare,
  generateImportKey,
  type ImportKey,
  openShare,
  restoreShare,
} from './share-import.ts';
