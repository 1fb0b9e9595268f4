export { verifyBlobBundle } from './bundle.ts';
export { downloadArtifact, type ResumableFile } from './download.ts';
export { ReleaseError, type ReleaseErrorCode } from './errors.ts';
export { parseLocation, type ReleaseLocation } from './location.ts';
export { verifyMeasurements } from './measurements.ts';
export { mirrorRelease } from './mirror.ts';
export {
  createHttpClient,
  type FindRegistryCredentials,
  type RegistryCredentials,
  RegistryReleases,
} from './oci/index.ts';
export { verifyProvenance } from './provenance.ts';
export {
  type Artifact,
  ARTIFACT_KINDS,
  type ArtifactKind,
  artifactOf,
  ARTIFACTS,
  BUNDLE_FILE,
  encodeReleaseIndex,
  INDEX_FILE,
  MAX_BUNDLE_BYTES,
  MAX_INDEX_BYTES,
  RELEASE_INDEX_FORMAT,
  type ReleaseIndex,
} from './release-index.ts';
export { parseReleaseKey, type ReleaseKey } from './release-key.ts';
export { assertNotOlder, fetchIndex, type SignedIndex, verifyIndex } from './release.ts';
export { BucketReleases } from './s3.ts';
export { signBlobBundle, signEnvelopeBundle } from './signing.ts';
export type { ReleaseDestination, ReleaseFile, ReleaseSource, ReleaseStream } from './source.ts';
export { assertVersion, compareVersions, RELEASE_VERSION } from './version.ts';
