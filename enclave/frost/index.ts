export { FrostError, type FrostErrorCode } from './errors.ts';
export { type HeldShare } from './held-share.ts';
export { NonceStore } from './nonce-store.ts';
export { commitNonces, type Round1, type Round2, signShare } from './rounds.ts';
export {
  type ExpectedShare,
  generateImportKey,
  type ImportKey,
  openShare,
  restoreShare,
} from './share-import.ts';
