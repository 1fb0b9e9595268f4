import { SignerError, type SignerErrorCode } from '../signer/index.ts';

export type KeyErrorCode =
  | SignerErrorCode
  /** The key was used after `destroy()`. */
  | 'KEY_DESTROYED'
  /** Serialised bytes that are not a key of the wanted type and usage. */
  | 'KEY_MALFORMED'
  /** The key is for another use: one that signs decrypts nothing. */
  | 'USAGE_MISMATCH'
  /** The plaintext is longer than the key encrypts. */
  | 'PLAINTEXT_TOO_LONG'
  /** An encryption context, which asymmetric algorithms do not have. */
  | 'CONTEXT_UNEXPECTED'
  /** The ciphertext is not one of this key, algorithm and context; more is not said. */
  | 'DECRYPTION_FAILED'
  /** The peer's public key of an agreement is malformed, of another curve, or no point of it. */
  | 'PEER_KEY_INVALID';

export class KeyError extends SignerError<KeyErrorCode> {}
