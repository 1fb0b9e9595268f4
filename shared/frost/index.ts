export { type Adjustment, adjustGroup, adjustShare } from './adjustments/adjustment.ts';
export { type ChildKey, deriveChildKey, deriveChildPublicKey } from './adjustments/child-key.ts';
export { AGGREGATE_CHAIN_CODE, encodeExtendedKey } from './adjustments/extended-key.ts';
export { createTaprootTweak, tweakGroup } from './adjustments/taproot.ts';
export { clearDealer, type Dealer, dealTo, startDealing } from './ceremonies/dealing.ts';
export { type SecretPart } from './ceremonies/packages-of-all.ts';
export { type CeremonyPackage, decodePackage, encodePackage, hashTranscript } from './ceremonies/package.ts';
export { finishDealing, type VerifiedDealing, verifyPackages } from './ceremonies/receiving.ts';
export {
  addDeltas,
  enrolSigner,
  finishRepair,
  type Helper,
  startRepair,
  type VerifiedRepair,
  verifyRepairPackages,
} from './ceremonies/repair.ts';
export {
  type CeremonyKind,
  createGenerationTerms,
  createRefreshTerms,
  createRepairTerms,
  createReshareTerms,
  type DealingTerms,
  type Terms,
} from './ceremonies/terms.ts';
export { dealGroup, type DealtShares } from './dealer.ts';
export { ThresholdError, type ThresholdErrorCode } from './errors.ts';
export { assertShare, decodeGroup, type DecodedGroup, type FrostGroup, SCALAR_BYTES } from './frost-group.ts';
export { evaluateCommitments } from './polynomial.ts';
export { type RandomSource } from './secrets.ts';
export { encodeImportedKey, encodeKeyDestination, type ImportedKey } from './key-import-binding.ts';
export {
  decodeSharePackage,
  digestShareGroup,
  encodeShareDestination,
  encodeSharePackage,
  listSigners,
  type ShareDestination,
} from './share-binding.ts';
export {
  aggregate,
  aggregatePrepared,
  type SignatureShare,
  verifySignature,
  verifySignatureShare,
} from './signing/aggregate.ts';
export { clearNonces, commit, type NonceCommitments, type Nonces } from './signing/nonces.ts';
export { type PreparedShare, type ShareHolder, signPrepared, signShare } from './signing/sign.ts';
export { type SigningPackage } from './signing/signing-package.ts';
export { createSuites, nobleSuites, type Suite, type Suites } from './suites/suite.ts';
