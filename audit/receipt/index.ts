export type { RecordedApproval } from './approval.ts';
export {
  type BootPredicate,
  type CeremonyPredicate,
  type DecisionPredicate,
  type Entry,
  MAX_ENTRY_BYTES,
  PREDICATE_TYPES,
  type VotePredicate,
} from './entry.ts';
export {
  createBootEntry,
  createCeremonyEntry,
  createCosignatureEntry,
  createDecisionEntry,
  createVoteEntry,
  encodeEntry,
  parseEntry,
} from './entry-encoding.ts';
export { ReceiptError, type ReceiptErrorCode } from './errors.ts';
export type { Consent } from './consent.ts';
export { readReceiptNode, type ReceiptNode } from './node.ts';
export {
  createReceipt,
  encodeReceiptPae,
  MAX_RECEIPT_BYTES,
  type Receipt,
  type UnverifiedReceipt,
  unsafeParseReceipt,
} from './receipt.ts';
export { type ReceiptExpectations, type VerifiedReceipt, verifyReceipt } from './verification.ts';
