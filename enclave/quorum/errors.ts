import { HoldfastError } from '../../shared/errors.ts';

export type QuorumErrorCode =
  /** The configuration in force names no quorum. */
  | 'QUORUM_ABSENT'
  /** The quorum has no node of this number. */
  | 'NODE_UNKNOWN'
  /** The configuration has no such key, or none that is shared among nodes. */
  | 'KEY_UNSHARED'
  /** The key was generated or imported before. */
  | 'KEY_EXISTS'
  /** The key was neither generated nor imported yet. */
  | 'KEY_ABSENT'
  /** Another ceremony on the key is under way. */
  | 'CEREMONY_RUNNING'
  /** This node has led no ceremony of this id since it started. */
  | 'CEREMONY_UNKNOWN'
  /** This node has no transcript of the epoch. */
  | 'TRANSCRIPT_UNKNOWN';

/** A refusal of what a client asks of the quorum, before any other node is asked. */
export class QuorumError extends HoldfastError<QuorumErrorCode> {}
