import { HoldfastError } from '../../shared/errors.ts';

export type PeerErrorCode =
  /** The configuration names no node of this number. */
  | 'PEER_UNKNOWN'
  /** No session with the node, or no answer in time: the call may have been carried out. */
  | 'PEER_UNREACHABLE'
  /** The node has refused; its code is in `details.code`. */
  | 'PEER_REFUSED'
  /** As many calls or bytes as may wait for the node do so already; nothing was sent. */
  | 'PEER_OVERLOADED'
  /** The node answers no calls of this kind: it runs an image of another release, or has not begun to. */
  | 'PEER_KIND_UNKNOWN'
  /** Calls end: the node is stopping. */
  | 'PEER_CLOSED';

/** Failures of a call to another node. */
export class PeerError extends HoldfastError<PeerErrorCode> {}

export type PeerRefusalCode =
  /** The document's user_data is not a peer's. */
  | 'PEER_BINDING_MALFORMED'
  /** The document is of a time that this node's clock has not reached. */
  | 'PEER_CLOCK_DIFFERS'
  /** PCR0, PCR1 or PCR2 is zero: an enclave in debug mode. */
  | 'PEER_DEBUG'
  /** No chain to the root, or a signature, form or time that the verifier refuses; its code is in `details.code`. */
  | 'PEER_DOCUMENT_REFUSED'
  /** The document was not made for this handshake, or too long ago. */
  | 'PEER_DOCUMENT_STALE'
  /** The configuration accepted the image until a time that has passed. */
  | 'PEER_IMAGE_EXPIRED'
  /** The configuration accepts no image with these measurements of this node. */
  | 'PEER_IMAGE_REFUSED'
  /** The document vouches for another key than the one of the handshake. */
  | 'PEER_KEY_MISMATCH'
  /** A genuine node has sent what no node sends. */
  | 'PEER_MESSAGE_MALFORMED'
  /** A genuine node of this quorum, but not the one of this number. */
  | 'PEER_NUMBER_WRONG'
  /** A genuine enclave whose manifest the configuration names for no node. */
  | 'PEER_OTHER_QUORUM'
  /** The document is the node's own: what it has sent came back. */
  | 'PEER_SELF'
  /** The other node has refused this one; its code is in the status. */
  | 'PEER_REFUSES_THIS_NODE'
  /** Nothing authentic came for longer than a session lives without a word. */
  | 'PEER_SILENT';

/** Why there is no session with a node. */
export class PeerRefusal extends HoldfastError<PeerRefusalCode> {}
