import { SignerError, type SignerErrorCode } from '../signer/index.ts';

export type KeyErrorCode =
  | SignerErrorCode
  /** The key was used after `destroy()`. */
  | 'KEY_DESTROYED'
  /** Serialised bytes that are not a key of the wanted type. */
  | 'KEY_MALFORMED';

export class KeyError extends SignerError<KeyErrorCode> {}
