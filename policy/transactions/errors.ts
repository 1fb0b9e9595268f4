import { HoldfastError } from '../../shared/errors.ts';

/** Why an unsigned transaction, message or operation is not signed before any rule looks at it. */
export type TransactionErrorCode =
  /** The bytes are not what their kind says: wrong structure, a field out of its range, bytes left over. */
  | 'TRANSACTION_MALFORMED'
  /** The decoded fields encode to other bytes than those given: two programs could read them differently. */
  | 'TRANSACTION_NOT_CANONICAL'
  /** A named limit is exceeded. */
  | 'TRANSACTION_TOO_LARGE'
  /** A type, version or operation that this image does not read. */
  | 'TRANSACTION_UNSUPPORTED'
  /** The transaction is for a network that the key does not serve, or the key names none for this chain. */
  | 'TRANSACTION_NETWORK_MISMATCH'
  /** The transaction is not one of the signing key: another source, no input of the key's. */
  | 'TRANSACTION_KEY_MISMATCH'
  /** The request names a child of a key that has none: BIP-32 unhardened is for keys of the quorum for taproot. */
  | 'CHILD_UNSUPPORTED'
  /** The chain refuses it, or its amounts cannot be trusted: contradicting or missing facts. */
  | 'TRANSACTION_UNSAFE';

/** A refusal to sign what cannot be read for certain; `details` says which field, what was expected and found. */
export class TransactionError extends HoldfastError<TransactionErrorCode> {}
