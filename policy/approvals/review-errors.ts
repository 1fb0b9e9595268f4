import { HoldfastError } from '../../shared/errors.ts';

/** Why a request is not shown to an approver as one to decide on. */
export type ReviewErrorCode =
  /** The manifest that the approver gave is not one. */
  | 'REVIEW_MANIFEST'
  /** The review, or a document in it, is not of its form. */
  | 'REVIEW_MALFORMED'
  /** The enclave's PCR16 is not the measurement of the manifest: another node. */
  | 'REVIEW_OTHER_NODE'
  /** The attestation document names no receipt key. */
  | 'REVIEW_KEY_UNATTESTED'
  /** The request is not signed by the receipt key that the attestation document names. */
  | 'REVIEW_SIGNATURE_INVALID'
  /** Another request than the one asked for, or a digest that is not that of the request shown. */
  | 'REVIEW_OTHER_REQUEST'
  /** The configuration is not the one that the request names, or the manifest's authorities have not signed it. */
  | 'REVIEW_CONFIGURATION'
  /** The transaction cannot be read; `cause` has the reason. */
  | 'REVIEW_UNREADABLE'
  /** The node has read the transaction in another way than the reader. */
  | 'REVIEW_READINGS_DIFFER'
  /** The request has expired. */
  | 'REVIEW_EXPIRED';

/** A refusal to show a request as one to decide on. */
export class ReviewError extends HoldfastError<ReviewErrorCode> {}
