import { HoldfastError } from '../../shared/errors.ts';

export type AnalysisErrorCode =
  /** A table of cases is not of its format. */
  | 'CASES_MALFORMED'
  /** A request, as a file, is not of its format. */
  | 'REQUEST_FILE_MALFORMED'
  /** A transaction cannot be read without the public key of its key, and nothing says what that is. */
  | 'PUBLIC_KEY_UNKNOWN';

/** Refusal to judge a configuration by what cannot be read. */
export class AnalysisError extends HoldfastError<AnalysisErrorCode> {}
