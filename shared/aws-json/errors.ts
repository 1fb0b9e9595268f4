import { HoldfastError } from '../errors.ts';

/** An error in the wire format of AWS: `code` is its `__type`, `status` the HTTP status. */
export class AwsServiceError extends HoldfastError {
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(code, message, { status });
    this.status = status;
  }
}
