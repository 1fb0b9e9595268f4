import { HoldfastError } from '../../shared/errors.ts';

export type KeyErrorCode =
  /** The algorithm is not one of this key's type. */
  | 'ALGORITHM_MISMATCH'
  /** The algorithm does not take this kind of payload, or the payload has the wrong length. */
  | 'PAYLOAD_MISMATCH'
  /** The key was used after `destroy()`. */
  | 'KEY_DESTROYED'
  /** Serialised bytes that are not a key of the wanted type. */
  | 'KEY_MALFORMED';

export class KeyError extends HoldfastError<KeyErrorCode> {}
