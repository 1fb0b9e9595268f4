import { HoldfastError } from '../shared/errors.ts';

export type AdminErrorCode =
  /** AWS gave no credentials for this profile, or none were configured. */
  | 'AWS_CREDENTIALS'
  /** AWS answered with an error; `details.error` is its name. */
  | 'AWS_REFUSED'
  /** AWS did not answer, or its TLS certificate is not one that is trusted. */
  | 'AWS_UNREACHABLE'
  /** The caller's signal was aborted. */
  | 'INTERRUPTED';

/** What a ceremony refuses: the step that was planned, its material, or what AWS made of it. */
export class AdminError extends HoldfastError<AdminErrorCode> {}
