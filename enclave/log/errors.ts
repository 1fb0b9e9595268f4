import { HoldfastError } from '../../shared/errors.ts';

export type AppendErrorCode =
  /** More entries wait already than the log lets wait. */
  | 'LOG_OVERLOADED'
  /** Too few witnesses have cosigned a tree with the entry in time: what it allows stays in the enclave. */
  | 'LOG_NOT_COSIGNED'
  /** Witnesses know a later state of this store, or another one: the store was rolled back as a whole, or started anew. */
  | 'STORE_ROLLED_BACK'
  /** The node is stopping. */
  | 'LOG_CLOSED';

/** The refusal of an entry, that of the start among them: nothing of what it would have allowed leaves the enclave. */
export class AppendError extends HoldfastError<AppendErrorCode> {}
