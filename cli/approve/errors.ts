import { HoldfastError } from '../../shared/errors.ts';

export type ApproveErrorCode =
  /** Neither the node nor the door of its parent responds. */
  | 'REQUEST_UNREACHABLE'
  /** The digest that the person confirmed is not that of the request. */
  | 'DIGEST_NOT_CONFIRMED'
  /** The vote was sent, and the node's signed list of votes does not have it. */
  | 'VOTE_NOT_COUNTED';

/** A failure between an approver and a node. */
export class ApproveError extends HoldfastError<ApproveErrorCode> {}
