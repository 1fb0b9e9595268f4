import { HoldfastError } from '../../shared/errors.ts';

export type ApiErrorCode =
  | 'NOT_FOUND'
  /** A body with a Transfer-Encoding, in place of a Content-Length. */
  | 'LENGTH_REQUIRED'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_MALFORMED'
  | 'OVERLOADED'
  | 'STOPPING';

/** The refusal of a request for its form or for lack of room, before any policy is asked. */
export class ApiError extends HoldfastError<ApiErrorCode> {}
