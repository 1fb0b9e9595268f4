import type { Receipt } from '../../../audit/receipt/index.ts';
import { HoldfastError } from '../../../shared/errors.ts';

export type QuorumSigningErrorCode =
  /** Fewer nodes than the threshold can sign in time; `details.nodes` has why each of the others did not. */
  | 'QUORUM_UNREACHABLE'
  /** Another node has decided otherwise, and nothing is signed; its receipt says why. */
  | 'QUORUM_DENIED'
  /** Signature shares of the nodes in `details.nodes` are wrong, and too few others are left. */
  | 'QUORUM_SHARE_INVALID'
  /** The request needs more signatures, or more bytes, than one call to another node carries. */
  | 'QUORUM_REQUEST_TOO_LARGE'
  /** The body of a call or an answer of another node is not of its form. */
  | 'QUORUM_MESSAGE_MALFORMED'
  /** The nodes have read the request differently: their decision digests are not the same. */
  | 'QUORUM_DECISION_MISMATCH'
  /** The list of commitments is not one of a quorum of this group, with this node and the coordinator in it. */
  | 'QUORUM_PACKAGE_INVALID'
  /** The nonces were never made for this coordinator, key and epoch in this boot, or were used or dropped. */
  | 'QUORUM_NONCES_UNKNOWN'
  /** The two nodes hold shares of different epochs or groups. */
  | 'QUORUM_EPOCH_MISMATCH'
  /** Too many requests are remembered, or too many times was one request to be signed. */
  | 'QUORUM_OVERLOADED';

/** Why the nodes have not signed together; `receipts` are those of other nodes that have decided. */
export class QuorumSigningError extends HoldfastError<QuorumSigningErrorCode> {
  readonly receipts: readonly Receipt[];

  constructor(
    code: QuorumSigningErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    { receipts = [], cause }: { readonly receipts?: readonly Receipt[]; readonly cause?: unknown } = {},
  ) {
    super(code, message, details, cause);
    this.receipts = receipts;
  }
}
