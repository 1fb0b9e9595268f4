import { HoldfastError } from '../../shared/errors.ts';

export type PeerErrorCode =
  /** The configuration names no node of this number. */
  | 'PEER_UNKNOWN'
  /** No session with the node, or no answer in time: the call may have been carried out. */
  | 'PEER_UNREACHABLE'
  /** The node has refused; its code is in `details.code`. */
  | 'PEER_REFUSED'
  /** This node is stopping. */
  | 'PEER_CLOSED';

export class PeerError extends HoldfastError<PeerErrorCode> {}
