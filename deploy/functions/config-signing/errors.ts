import { HoldfastError } from '../../../shared/errors.ts';

/** Refusals of the config signing function that nothing else has. */
export type ConfigSigningErrorCode =
  /** The event is none that the function takes. */
  | 'SIGNING_REQUEST_MALFORMED'
  /** `manifest.json` is not in the bucket. */
  | 'SIGNING_MANIFEST_MISSING'
  /** The manifest in the bucket is of another node or another key than the stack. */
  | 'SIGNING_OTHER_NODE'
  /** `config lint` finds errors. */
  | 'SIGNING_LINT_FAILED'
  /** The confirmation is not of this configuration against the newest one. */
  | 'SIGNING_NOT_CONFIRMED'
  /** What lies in the bucket is not what the function, or an authority, has put there. */
  | 'SIGNING_STORE_UNREADABLE'
  /** KMS signed with another key, or gave what is no signature of it. */
  | 'SIGNING_OTHER_KEY'
  /** KMS or S3 refused or was not to be reached; `details.error` is the name of its error. */
  | 'SIGNING_UNAVAILABLE';

/** What the config signing function refuses. */
export class ConfigSigningError extends HoldfastError<ConfigSigningErrorCode> {}
