import { HoldfastError } from '../../shared/errors.ts';

export type TranscriptErrorCode =
  /** Bytes that are no transcript, plan, message or certificate of a known format. */
  | 'TRANSCRIPT_MALFORMED'
  /** A message that its sender has not signed for this ceremony and step. */
  | 'CEREMONY_SIGNATURE_INVALID'
  /** Messages of a step that are missing, repeated, or of nodes that do not take part in the step. */
  | 'CEREMONY_SENDERS_WRONG'
  /** A participant has seen other messages than the rest. */
  | 'CEREMONY_VIEWS_DIFFER'
  /** A dealer's commitments, proof or share do not fit: `details.culprits` names the nodes. */
  | 'CEREMONY_DEALING_INVALID'
  /** A ceremony does not start from the group that the one before has made, or other nodes have dealt it. */
  | 'CEREMONY_UNENDORSED'
  /** The groups that the dealings make are not those that were confirmed. */
  | 'CEREMONY_RESULT_WRONG'
  /** A participant's attestation document does not vouch for its part in this ceremony. */
  | 'CEREMONY_DOCUMENT_WRONG'
  /** The signed messages do not prove what a node is accused of. */
  | 'EVIDENCE_INSUFFICIENT';

/** A refusal of what nodes of a quorum have sent each other. */
export class TranscriptError extends HoldfastError<TranscriptErrorCode> {}
