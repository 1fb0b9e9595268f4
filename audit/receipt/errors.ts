import { HoldfastError } from '../../shared/errors.ts';

export type ReceiptErrorCode =
  /** Not an entry of the log: no strict JSON, another schema, members in another order, contradicting members. */
  | 'ENTRY_MALFORMED'
  /** An entry beyond the 65,535 bytes that a log's entry bundle can hold. */
  | 'ENTRY_TOO_LARGE'
  /** Not a receipt file. */
  | 'RECEIPT_MALFORMED';

/** What a reader of receipts, or of a node's log, refuses to believe. */
export class ReceiptError extends HoldfastError<ReceiptErrorCode> {}
