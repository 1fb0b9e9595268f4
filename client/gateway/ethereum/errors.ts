import { HoldfastError } from '../../../shared/errors.ts';

export type EthereumDoorErrorCode =
  /** Bytes that are no request of JSON-RPC 2.0, a request without an id, or a batch of none or too many. */
  | 'RPC_REQUEST_MALFORMED'
  /** A method that the door does not have: it sends no transaction and knows no state of a chain. */
  | 'RPC_METHOD_UNSUPPORTED'
  /** Parameters that are none of the method. */
  | 'RPC_PARAMETERS_MALFORMED'
  /** An address or public key of which the nodes have no key. */
  | 'RPC_ACCOUNT_UNKNOWN'
  /** A request that a web page makes, or whose body is not said to be JSON. */
  | 'RPC_ORIGIN_REFUSED'
  /** Data of a signing request that are neither a transaction, a message nor an authorisation. */
  | 'SIGNING_DATA_UNREADABLE';

/** Refusal by the door itself, before a node is asked. */
export class EthereumDoorError extends HoldfastError<EthereumDoorErrorCode> {}
