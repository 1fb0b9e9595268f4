import { HoldfastError } from '../../shared/errors.ts';

export type QuorumErrorCode =
  /** The configuration in force names no quorum. */
  | 'QUORUM_ABSENT'
  /** No ceremony of this id was led by the node since it started. */
  | 'CEREMONY_NOT_FOUND'
  /** No transcript of the epoch is kept by the node. */
  | 'TRANSCRIPT_NOT_FOUND';

/** A refusal of what a client asks of the quorum, before any other node is asked. */
export class QuorumError extends HoldfastError<QuorumErrorCode> {}
