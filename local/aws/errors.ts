import { HoldfastError } from '../../shared/errors.ts';

export type LocalAwsErrorCode =
  /** Another process has the state directory open. */
  | 'STATE_IN_USE'
  /** The state was written by another version, or is damaged. */
  | 'STATE_UNREADABLE';

/** What is wrong on this side: never sent to a client. */
export class LocalAwsError extends HoldfastError<LocalAwsErrorCode> {}
