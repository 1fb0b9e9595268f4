import { HoldfastError } from '../errors.ts';

export type ColdErrorCode =
  /** Bytes that are no request to a cold node. */
  | 'COLD_REQUEST_MALFORMED'
  /** No client that the configuration names has signed the request. */
  | 'COLD_REQUEST_UNSIGNED'
  /** The request is for another node, or for another manifest of this one. */
  | 'COLD_REQUEST_OTHER_NODE'
  /** The request was made after the time of the node's clock. */
  | 'COLD_REQUEST_EARLY'
  | 'COLD_REQUEST_EXPIRED'
  /** The node has decided a request of this id before. */
  | 'COLD_REQUEST_REPEATED'
  /** The client, or all of them together, have as many requests open as the node remembers. */
  | 'COLD_REQUESTS_FULL'
  /** The request knows a later state of the node's log than the node has. */
  | 'COLD_STORE_ROLLED_BACK'
  /** The clock of the machine is behind what the node has sealed. */
  | 'COLD_CLOCK_BEHIND'
  /** Scanned parts are missing. */
  | 'COLD_PARTS_INCOMPLETE'
  | 'COLD_PARTS_MALFORMED'
  | 'COLD_PARTS_TOO_MANY'
  | 'COLD_PASSPHRASE_WRONG'
  | 'COLD_PASSPHRASE_WEAK'
  /** The folder has a node already. */
  | 'COLD_NODE_EXISTS'
  /** The folder has no node. */
  | 'COLD_NODE_MISSING'
  /** The configuration has a part that a cold node does without: witnesses, a quorum, pools. */
  | 'COLD_CONFIGURATION_UNFIT'
  /** The archive is built from a working copy alone. */
  | 'COLD_BUNDLE_WITHOUT_SOURCE'
  | 'COLD_BUNDLE_FAILED'
  /** A file that is no vote on a request that waits. */
  | 'COLD_VOTE_MALFORMED'
  | 'COLD_IDENTITY_MALFORMED'
  /** Bytes that are no response of a cold node. */
  | 'COLD_RESPONSE_MALFORMED'
  /** The node of the identity has not signed the response. */
  | 'COLD_RESPONSE_UNSIGNED'
  /** The response is to another request. */
  | 'COLD_RESPONSE_OTHER_REQUEST';

export class ColdError extends HoldfastError<ColdErrorCode> {}
