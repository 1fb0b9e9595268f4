import { HoldfastError } from '../../shared/errors.ts';

export type ReleaseErrorCode =
  /** An artifact that was fetched is not the one that the index names; `details.file` names it. */
  | 'RELEASE_ARTIFACT_DIFFERS'
  /** More bytes came than the signed index names for the artifact. */
  | 'RELEASE_ARTIFACT_OVERSIZE'
  /** The connection ended early, each time that it was tried. */
  | 'RELEASE_ARTIFACT_TRUNCATED'
  /** A signature of another kind than is expected: a DSSE envelope in place of a message signature, or a certificate. */
  | 'RELEASE_BUNDLE_KIND'
  /** What should be a Sigstore bundle is none. */
  | 'RELEASE_BUNDLE_MALFORMED'
  /** The bundle is of another format than v0.3. */
  | 'RELEASE_BUNDLE_VERSION'
  /** A release that is here already is not what its signature says any more; `details.file` names the file. */
  | 'RELEASE_DAMAGED'
  /** The disk cannot hold the release. */
  | 'RELEASE_DISK_FULL'
  /** Another run works on the same release in the same folder. */
  | 'RELEASE_IN_USE'
  /** The index of a release is not of its format. */
  | 'RELEASE_INDEX_MALFORMED'
  /** The public key of a release is no P-256 or P-384 key in PEM. */
  | 'RELEASE_KEY_MALFORMED'
  /** A location is none of s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY and a folder. */
  | 'RELEASE_LOCATION_MALFORMED'
  /** What a registry gives for a release is no manifest of one. */
  | 'RELEASE_MANIFEST_MALFORMED'
  /** Image, pcr.json and index do not agree on what is measured. */
  | 'RELEASE_MEASUREMENTS_DIFFER'
  /** The mirror holds another release of this version, or lacks what was written. */
  | 'RELEASE_MIRROR_DIFFERS'
  /** There is no such release, or it lacks a file. */
  | 'RELEASE_NOT_FOUND'
  /** Older than a release that is here, and nobody named it as such. */
  | 'RELEASE_OLDER'
  /** The bundle's signature is over another artifact. */
  | 'RELEASE_OTHER_ARTIFACT'
  /** The bundle names another key than the one that is trusted. */
  | 'RELEASE_OTHER_KEY'
  /** The release is of another version than the one that was asked for. */
  | 'RELEASE_OTHER_VERSION'
  /** The provenance is of another image, or the signed one is not the one beside it. */
  | 'RELEASE_PROVENANCE_DIFFERS'
  /** A rebuild from source gave other bytes. */
  | 'RELEASE_REBUILD_DIFFERS'
  /** The signature is not one of the trusted key over these bytes. */
  | 'RELEASE_SIGNATURE'
  /** Whoever keeps the release does not let us read or write it. */
  | 'RELEASE_SOURCE_REFUSED'
  /** Whoever keeps the release cannot be asked. */
  | 'RELEASE_SOURCE_UNREACHABLE'
  /** What should be the version of a release is none. */
  | 'RELEASE_VERSION_MALFORMED';

/** Refusal of a release: its index, its signature, an artifact, or where it comes from. */
export class ReleaseError extends HoldfastError<ReleaseErrorCode> {}
