export {
  type Custodian,
  custodianName,
  type Custodians,
  type IssuedShare,
  joinRecoveryKey,
  makeRecoveryKey,
  MAX_CUSTODIANS_BYTES,
  parseCustodians,
  type VerifiedShare,
  verifyShare,
} from './custodians.ts';
export { holdPrivateKey, runDrill } from './drill.ts';
export { RecoveryCeremonyError, type RecoveryCeremonyErrorCode } from './errors.ts';
export { joinKey } from './key.ts';
export { formatKeyImport, parseKeyImport } from './key-import.ts';
export { assertEnoughShares, assertOneKey, clearShares, openEntry, recoverShares } from './open.ts';
export { writeSharePage } from './share-page.ts';
export { MAX_SHARES, MAX_WORDS_LENGTH } from './slip39/index.ts';
