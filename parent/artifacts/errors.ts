import { HoldfastError } from '../../shared/errors.ts';

export type ArtifactErrorCode =
  /** The source of an artifact could not be asked, or did not respond; see `cause`. */
  'ARTIFACT_UNAVAILABLE' | 'ARTIFACT_TOO_LARGE';

export class ArtifactError extends HoldfastError<ArtifactErrorCode> {}
