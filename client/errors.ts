import type { Receipt } from '../audit/receipt/index.ts';
import { HoldfastError } from '../shared/errors.ts';

/** Every code of {@link ClientError}; docs/codes.md explains each of them. */
export type ClientErrorCode =
  /** No TLS connection was made: nothing was sent. */
  | 'NODE_UNREACHABLE'
  /** The connection broke before the response had arrived: whether the request was carried out is not known. */
  | 'ANSWER_LOST'
  /** No response arrived in time: whether the request was carried out is not known. */
  | 'ANSWER_TIMEOUT'
  /** The response is none that a node gives: another body, a body in chunks, or no Content-Length. */
  | 'ANSWER_MALFORMED'
  /** TLS ended with a key that the attestation document does not vouch for: somebody is in between. */
  | 'TLS_KEY_MISMATCH'
  /** The document verifies, and its user_data is not a node's. */
  | 'BINDING_MALFORMED'
  /** The configuration in force is older than `oldestConfiguration` or one seen before: the store was rolled back. */
  | 'CONFIGURATION_ROLLED_BACK'
  /**
   * The request waits in the node for approvals: `details` has its `id`, the `rule` that asks for them, when it `expires`,
   * in milliseconds since 1970, and the `receipt`, unverified.
   */
  | 'APPROVALS_NEEDED'
  /** A ceremony has ended without a new epoch: the old state stays. `details` has its code and the nodes at fault. */
  | 'CEREMONY_FAILED'
  /** Every node of the quorum was passed over; nothing was carried out. `details.nodes` has the code of each. */
  | 'NODES_UNREACHABLE';

/** A failure between a client and its node. */
export class ClientError extends HoldfastError<ClientErrorCode> {}

/** A refusal by the node: `code` is the node's, `details.status` the HTTP status of the response. */
export class NodeRefusal extends HoldfastError {
  /** The receipt of the decision, unverified: why nothing permits the request. Undefined where nothing was decided. */
  readonly receipt: Receipt | undefined;
  /** Receipts of other nodes of the quorum that have decided on the request, unverified. */
  readonly receipts: readonly Receipt[];

  constructor(
    code: string,
    message: string,
    details: Record<string, unknown> = {},
    decided: {
      readonly receipt?: Receipt | undefined;
      readonly receipts?: readonly Receipt[] | undefined;
    } = {},
  ) {
    super(code, message, details);
    this.receipt = decided.receipt;
    this.receipts = decided.receipts ?? [];
  }
}
