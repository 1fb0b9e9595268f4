import { HoldfastError } from '../../shared/errors.ts';

export type LocalAwsErrorCode =
  /** Another process has the state directory open. */
  | 'STATE_IN_USE'
  /** The state was written by another version, or is damaged. */
  | 'STATE_UNREADABLE';

/** Failure on the server's side: never sent to a client. */
export class LocalAwsError extends HoldfastError<LocalAwsErrorCode> {}
