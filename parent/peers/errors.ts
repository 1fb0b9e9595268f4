import { HoldfastError } from '../../shared/errors.ts';

export type PeerLinkErrorCode =
  /** No connection, or none in time. */
  | 'CONNECT_FAILED'
  | 'CONNECT_TIMEOUT'
  /** Certificate or TLS refused, by either end. */
  | 'TLS_FAILED'
  /** The other end did not greet as a parent does, or not in time. */
  | 'GREETING_FAILED'
  /** The parent of another node answers there. */
  | 'WRONG_NODE'
  /** The other end does not know this node. */
  | 'UNKNOWN_NODE'
  /** The certificate of one end names another node than it greets for. */
  | 'CERTIFICATE_OTHER_NODE'
  /** As many connections are open, or greeting, as may be. */
  | 'OVERLOADED'
  /** NATS has refused the certificate, the credentials or a permission. */
  | 'NOT_AUTHORISED'
  /** A secret for the connection was not to be had: none of this name, no permission, AWS away. */
  | 'SECRET_UNAVAILABLE'
  /** A secret for the connection is no certificate with its private key. */
  | 'SECRET_UNUSABLE'
  /** The stream or the consumer of the node is not to be had. */
  | 'STREAM_UNAVAILABLE';

/** Reason why there is no connection to another node's parent, or to NATS. */
export class PeerLinkError extends HoldfastError<PeerLinkErrorCode> {}
