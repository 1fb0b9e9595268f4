import { HoldfastError } from '../../shared/errors.ts';

export type RequestErrorCode =
  /** No request of this id waits, or none of this client's: it has expired, or never was. */
  | 'REQUEST_UNKNOWN'
  /** The request was rejected. */
  | 'REQUEST_REJECTED'
  /** The request was carried out, and takes no vote any more. */
  | 'REQUEST_DONE'
  /** As many requests wait as the node keeps, of all clients or of this one. */
  | 'REQUESTS_FULL';

/** A refusal about a request that waits for approvals. */
export class RequestError extends HoldfastError<RequestErrorCode> {}
