import { HoldfastError } from '../errors.ts';

export type NoiseErrorCode =
  /** A ciphertext that was not made with the key, the nonce and the associated data at hand. */
  | 'NOISE_DECRYPT_FAILED'
  /** A public key with which every private key gives the same shared secret (RFC 7748, 6.1), or none of 32 bytes. */
  | 'NOISE_KEY_REFUSED'
  /** A message too short for its keys and tags, or longer than 65,535 bytes. */
  | 'NOISE_MESSAGE_LENGTH'
  /** The last nonce was used: the key encrypts nothing more. */
  | 'NOISE_NONCE_EXHAUSTED';

/** Refusals of messages that a hostile peer or carrier may have made. */
export class NoiseError extends HoldfastError<NoiseErrorCode> {}
