import { HoldfastError } from '../../shared/errors.ts';

/** An error as AWS puts it on the wire: `code` is its `__type`, `status` the HTTP status. */
export class AwsServiceError extends HoldfastError {
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(code, message, { status });
    this.status = status;
  }
}

export type LocalAwsErrorCode =
  /** Another process has the state directory open. */
  | 'STATE_IN_USE'
  /** The state was written by another version, or is damaged. */
  | 'STATE_UNREADABLE';

/** What is wrong on this side: never sent to a client. */
export class LocalAwsError extends HoldfastError<LocalAwsErrorCode> {}
