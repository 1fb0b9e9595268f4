import { HoldfastError } from '../../shared/errors.ts';

export type IdentityErrorCode =
  /** The store has records, and a log that does not say whose it is. */
  | 'IDENTITY_UNREADABLE'
  /** There was a store, or one has to be there, and this host has none. */
  | 'IDENTITY_STORE_MISSING'
  /** The store belongs to another vault: another namespace or environment. */
  | 'IDENTITY_OTHER_VAULT'
  /** The store belongs to another node of the vault. */
  | 'IDENTITY_OTHER_NODE'
  /** The store is another one of this node than the one that was in use. */
  | 'IDENTITY_OTHER_STORE'
  /** The store is an earlier state of the one that was in use. */
  | 'IDENTITY_OLDER_EPOCH'
  /** The store has another history than the one that was in use: it was rolled back, and went on. */
  | 'IDENTITY_OTHER_HISTORY'
  /** A store that is to be restored is older than what others know of its log. */
  | 'RESTORE_ROLLS_BACK';

/** Refusal of a store by what the host knows of it. */
export class IdentityError extends HoldfastError<IdentityErrorCode> {}
