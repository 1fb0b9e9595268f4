import { HoldfastError } from '../shared/errors.ts';

export type AdminErrorCode =
  /** AWS gave no credentials for this profile, or none were configured. */
  | 'AWS_CREDENTIALS'
  /** AWS answered with an error; `details.error` is its name. */
  | 'AWS_REFUSED'
  /** AWS did not answer, or its TLS certificate is not one that is trusted. */
  | 'AWS_UNREACHABLE'
  /** The caller's signal was aborted. */
  | 'INTERRUPTED'
  /** KMS answered for another key than the manifest's. */
  | 'KMS_OTHER_KEY'
  /** Somebody else changed the secret at the same time. */
  | 'SECRET_CHANGED'
  /** There is a secret already, and nothing says that it may be replaced. */
  | 'SECRET_EXISTS'
  /** What should be a KMS ciphertext is too short or long for one, or is text. */
  | 'SECRET_NOT_CIPHERTEXT'
  /** What Secrets Manager gives back is not what was written. */
  | 'SECRET_NOT_WRITTEN';

/** What a ceremony refuses: the step that was planned, its material, or what AWS made of it. */
export class AdminError extends HoldfastError<AdminErrorCode> {}
