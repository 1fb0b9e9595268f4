import { HoldfastError } from '../../shared/errors.ts';

export type QuorumErrorCode =
  /** The configuration in force names no quorum. */
  | 'QUORUM_ABSENT'
  /** This node has led no ceremony of this id since it started. */
  | 'CEREMONY_NOT_FOUND'
  /** This node has no transcript of the epoch. */
  | 'TRANSCRIPT_NOT_FOUND';

/** A refusal of what a client asks of the quorum, before any other node is asked. */
export class QuorumError extends HoldfastError<QuorumErrorCode> {}
