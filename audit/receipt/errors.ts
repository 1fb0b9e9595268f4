import { HoldfastError } from '../../shared/errors.ts';

export type ReceiptErrorCode =
  /** Not an entry of the log: no strict JSON, another schema, members in another order, contradicting members. */
  | 'ENTRY_MALFORMED'
  /** An entry beyond the 65,535 bytes that a log's entry bundle can hold. */
  | 'ENTRY_TOO_LARGE'
  /** Not a receipt file. */
  | 'RECEIPT_MALFORMED'
  /** The attestation document's user_data names no key of receipts. */
  | 'RECEIPT_UNBOUND'
  /** Signed by another key than the one that the document names. */
  | 'RECEIPT_OTHER_KEY'
  | 'RECEIPT_SIGNATURE_INVALID'
  /** The entry is of a node with another manifest. */
  | 'RECEIPT_OTHER_NODE'
  /** The entry is of another boot than the document, so that the document does not say which image decided. */
  | 'RECEIPT_OTHER_BOOT'
  /** The entry is about another request than the one given. */
  | 'RECEIPT_OTHER_REQUEST'
  /** The entry's signatures do not include the one given. */
  | 'RECEIPT_OTHER_SIGNATURE'
  /** Another configuration decided than the one given. */
  | 'RECEIPT_OTHER_CONFIGURATION'
  /** The configuration has no such rule, client or key, or names other witnesses than the entry. */
  | 'RECEIPT_CONTRADICTS_CONFIGURATION'
  /** Permitted although somebody rejected, or approvals of different times. */
  | 'RECEIPT_CONSENT'
  /** The proof is of another place in the log than the entry's own. */
  | 'RECEIPT_OTHER_PLACE'
  /** No proof where inclusion in the log was asked for. */
  | 'RECEIPT_UNPROVEN'
  /** The entry asks for more witnesses than the proof was verified with. */
  | 'RECEIPT_UNDER_WITNESSED';

/** What a reader of receipts, or of a node's log, refuses to believe. */
export class ReceiptError extends HoldfastError<ReceiptErrorCode> {}
