import { HoldfastError } from '../shared/errors.ts';

export type ClientErrorCode =
  /** No connection: nothing was sent. */
  | 'NODE_UNREACHABLE'
  /** The connection broke before the answer had arrived: whether the request was carried out is not known. */
  | 'ANSWER_LOST'
  /** No answer in time: whether the request was carried out is not known. */
  | 'ANSWER_TIMEOUT'
  /** Not an answer as a node gives it, one in chunks or without a length among them. */
  | 'ANSWER_MALFORMED'
  /** TLS ended with another key than the attestation document vouches for: somebody is in between. */
  | 'TLS_KEY_MISMATCH'
  /** A document that verifies, but whose user_data is not a node's. */
  | 'BINDING_MALFORMED'
  /** An older configuration is in force than the one that was asked for or seen before: its store was rolled back. */
  | 'CONFIGURATION_ROLLED_BACK'
  /** The signature shares do not make a signature; `details.signers` names those at fault, where known. */
  | 'AGGREGATION_FAILED';

/** What went wrong between a client and its node. */
export class ClientError extends HoldfastError<ClientErrorCode> {}

/** The node's own refusal: its code, and the HTTP status in `details.status`. */
export class NodeRefusal extends HoldfastError {}
