import { HoldfastError } from '../../../shared/errors.ts';

export type ExchangeErrorCode =
  /** A statement that is no envelope, no strict JSON, or has unknown, missing or malformed members. */
  | 'STATEMENT_MALFORMED'
  /** The key that is to sign is not the one that vault.yaml names for the role. */
  | 'STATEMENT_KEY_WRONG'
  /** No signature of the key that vault.yaml names for the role. */
  | 'STATEMENT_UNKNOWN_KEY'
  /** A statement of a vault with another vault.yaml. */
  | 'STATEMENT_OTHER_VAULT'
  /** A statement of another role than the folder in which it lies. */
  | 'STATEMENT_OTHER_ROLE'
  /** A statement of another step than its file is named after. */
  | 'STATEMENT_OTHER_STEP'
  /** A statement with a lower sequence than one seen before, or another one of the same sequence. */
  | 'STATEMENT_OLDER'
  /** A file of a statement that is not there. */
  | 'STATEMENT_FILE_MISSING'
  /** A file of a statement that has other bytes than those that were signed for. */
  | 'STATEMENT_FILE_CHANGED';

/** Refusal of what lies in the exchange folder; `details.step` names whose it is. */
export class ExchangeError extends HoldfastError<ExchangeErrorCode> {}
