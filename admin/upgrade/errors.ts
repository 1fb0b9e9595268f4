import { HoldfastError } from '../../shared/errors.ts';

export type UpgradeErrorCode =
  /** A quorum that signs with all of its nodes alone cannot be upgraded node by node. */
  | 'UPGRADE_NO_SPARE_NODE'
  /** A node serves that does not attest the image that was deployed on it. */
  | 'UPGRADE_NODE_OTHER_IMAGE'
  /** A node does not serve after its deployment; `reason` is its code. */
  | 'UPGRADE_NODE_NOT_SERVING'
  /** Old and new image are no longer, or not yet, both admitted: the day of the overlap is over. */
  | 'UPGRADE_OVERLAP_EXPIRED'
  /** The overlap is to end in the past, or later than its maximum. */
  | 'UPGRADE_OVERLAP_LENGTH'
  /** Fewer nodes than the threshold could sign while the node is down. */
  | 'UPGRADE_QUORUM_AT_RISK'
  /** A node that was upgraded serves, and the quorum does not sign; `reason` is its code. */
  | 'UPGRADE_QUORUM_NOT_SIGNING'
  /** An earlier run has stopped; `node` and `reason` say where and why. */
  | 'UPGRADE_STOPPED'
  /** Not every node runs the new image. */
  | 'UPGRADE_UNFINISHED';

/** Refusal of an upgrade, or of one step of it. */
export class UpgradeError extends HoldfastError<UpgradeErrorCode> {}
