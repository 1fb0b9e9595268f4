export { encodeImportedKey, encodeKeyDestination, type ImportedKey } from './key-import-binding.ts';
export {
  decodeSharePackage,
  digestShareGroup,
  encodeShareDestination,
  encodeSharePackage,
  type ShareDestination,
} from './share-binding.ts';
export {
  type FrostGroup,
  getFrostSuite,
  SCALAR_BYTES,
  toFrostPublic,
  toFrostSecret,
  toNonceCommitments,
} from './suites.ts';
export { tweakGroup, tweakShare } from './taproot.ts';
