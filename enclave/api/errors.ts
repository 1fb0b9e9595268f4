import { HoldfastError } from '../../shared/errors.ts';

export type ApiErrorCode =
  | 'NOT_FOUND'
  /** A body with a Transfer-Encoding: its length must be said before it (Content-Length). */
  | 'LENGTH_REQUIRED'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_MALFORMED'
  | 'OVERLOADED'
  | 'STOPPING';

/** A request that is refused before anybody's rights are looked at. */
export class ApiError extends HoldfastError<ApiErrorCode> {}
