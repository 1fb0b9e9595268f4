import { HoldfastError } from '../../shared/errors.ts';

export type PoolErrorCode =
  /** The node has no key of a pool with this id, or none that the client sees. */
  | 'POOL_KEY_UNKNOWN'
  /** The pool holds as many keys as it may. */
  | 'POOL_FULL'
  /** Descriptions, aliases and tags of all keys of pools take as many bytes as they may, or one key has too many. */
  | 'POOL_METADATA_FULL'
  /** The token was used before, for a creation with another body. */
  | 'TOKEN_REUSED'
  /** No pattern of the pool has this description. */
  | 'DESCRIPTION_REFUSED'
  /** No pattern of the pool has this alias. */
  | 'ALIAS_REFUSED'
  /** Another key has the alias. */
  | 'ALIAS_EXISTS'
  /** The key has no such alias; of an alias that is to be moved: no key of the pool has it. */
  | 'ALIAS_UNKNOWN'
  /** The alias belongs to a key of another type or usage. */
  | 'ALIAS_MISMATCH'
  /** The key is disabled. */
  | 'KEY_DISABLED'
  /** The key awaits its deletion. */
  | 'KEY_PENDING_DELETION'
  /** The key does not await its deletion. */
  | 'KEY_NOT_PENDING_DELETION'
  /** The pool asks for more days between the order to delete a key and its deletion. */
  | 'DELETION_TOO_SOON'
  /** The ciphertext names another key. */
  | 'CIPHERTEXT_OTHER_KEY';

/** The refusal of a request on a key of a pool that a rule permits. */
export class PoolError extends HoldfastError<PoolErrorCode> {}
