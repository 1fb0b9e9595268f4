import { HoldfastError } from '../../shared/errors.ts';
import type { PolicyRefusal } from '../policy/index.ts';

export type ApiErrorCode =
  | 'NOT_FOUND'
  /** The configuration's time is over: the node allows nothing until it starts with another. */
  | 'CONFIGURATION_EXPIRED'
  /** A body with a Transfer-Encoding: its length must be said before it (Content-Length). */
  | 'LENGTH_REQUIRED'
  | 'METHOD_NOT_ALLOWED'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_MALFORMED'
  | 'OVERLOADED'
  | 'STOPPING';

/** A request that is refused before anybody's rights are looked at. */
export class ApiError extends HoldfastError<ApiErrorCode> {}

/** A request that the policy does not allow. */
export class PolicyError extends HoldfastError<PolicyRefusal> {}
