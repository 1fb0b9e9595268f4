import { HoldfastError } from '../../shared/errors.ts';

export type ArtifactErrorCode =
  /** The source could not be asked, or did not answer; see `cause`. */
  'ARTIFACT_UNAVAILABLE' | 'ARTIFACT_TOO_LARGE';

export class ArtifactError extends HoldfastError<ArtifactErrorCode> {}
