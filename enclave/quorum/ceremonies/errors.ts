import { HoldfastError } from '../../../shared/errors.ts';

export type CeremonyErrorCode =
  /** The plan, or a message of it, is not what this node knows or accepts; `details.reason` says of what. */
  | 'CEREMONY_PLAN_REFUSED'
  /** Another ceremony on the key is under way on this node. */
  | 'CEREMONY_RUNNING'
  /** A participant does not know the ceremony (any more): it has restarted, or has given it up. */
  | 'CEREMONY_UNKNOWN'
  /** A message that does not belong to the step in which the ceremony is. */
  | 'CEREMONY_OUT_OF_STEP'
  /** The epoch was confirmed before in another ceremony; a greater one is needed. */
  | 'CEREMONY_EPOCH_USED'
  /** An earlier ceremony on the key was confirmed by this node and has neither a certificate nor an end. */
  | 'CEREMONY_UNRESOLVED'
  /** Too few nodes that are needed were reached; `details.nodes` names those that were not. */
  | 'CEREMONY_NODES_UNREACHABLE'
  /** A participant has refused; `details` names the node and its code. */
  | 'CEREMONY_REFUSED'
  /** Participants have misbehaved; `details.culprits` names all of them, and signed messages prove it. */
  | 'CEREMONY_CULPRITS'
  /** The threshold is below the manifest's, or no majority of the holders. */
  | 'CEREMONY_THRESHOLD_LOW'
  /** The key exists, or does not, as the operation needs it. */
  | 'CEREMONY_KEY_STATE'
  /** No ceremony may be led by this node or by its configuration now. */
  | 'CEREMONY_NOT_ORDERED'
  /** A certificate that does not follow from what this node holds. */
  | 'CERTIFICATE_UNTRUSTED';

/** A refusal of a ceremony; nothing has changed, unless a certificate turns up later. */
export class CeremonyError extends HoldfastError<CeremonyErrorCode> {}
