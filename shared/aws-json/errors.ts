import { HoldfastError } from '../errors.ts';

/** An error as AWS puts it on the wire: `code` is its `__type`, `status` the HTTP status. */
export class AwsServiceError extends HoldfastError {
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(code, message, { status });
    this.status = status;
  }
}
