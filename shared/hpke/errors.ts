import { HoldfastError } from '../errors.ts';

export type HpkeErrorCode =
  /** The ciphertext was made for another key, or the ciphertext, `info` or `aad` was altered. */
  | 'HPKE_OPEN_FAILED'
  /** Not an X25519 public key, or one of those whose shared secret is always zero. */
  | 'HPKE_KEY_INVALID';

export class HpkeError extends HoldfastError<HpkeErrorCode> {}
