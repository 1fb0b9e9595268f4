import { HoldfastError } from '../../shared/errors.ts';

export type LogErrorCode =
  /** Bytes that are no signed note: text, an empty line, signature lines. */
  | 'NOTE_MALFORMED'
  /** Text that is no verifier key, or one of a type that its place does not allow. */
  | 'VERIFIER_KEY_MALFORMED'
  /** A note whose text is no checkpoint. */
  | 'CHECKPOINT_MALFORMED'
  /** A checkpoint of another log. */
  | 'CHECKPOINT_ORIGIN'
  /** A checkpoint without a valid signature of the log. */
  | 'CHECKPOINT_UNSIGNED'
  /** A checkpoint with fewer valid cosignatures of distinct witnesses than the threshold. */
  | 'CHECKPOINT_UNDER_COSIGNED'
  /** A signature line of a known key that does not verify. */
  | 'NOTE_SIGNATURE_INVALID'
  /** An inclusion proof that does not lead from the entry to the root. */
  | 'INCLUSION_PROOF_INVALID'
  /** A consistency proof that does not lead from the older root to the newer one. */
  | 'CONSISTENCY_PROOF_INVALID'
  /** Bytes that are no tlog-proof. */
  | 'TLOG_PROOF_MALFORMED'
  /** Bytes that are no frontier of a tree. */
  | 'FRONTIER_MALFORMED'
  /** A tile or an entry bundle of another length than the size of the tree gives it. */
  | 'TILE_MALFORMED'
  /** A tile with other hashes than those of the entries. */
  | 'TILE_MISMATCH'
  /** Entries whose tree has another root than the checkpoint. */
  | 'LOG_ROOT_MISMATCH'
  /** The log does not begin with the tree of an earlier checkpoint, or is smaller. */
  | 'LOG_INCONSISTENT';

/** Refusal of a part of a transparency log. */
export class LogError extends HoldfastError<LogErrorCode> {}
