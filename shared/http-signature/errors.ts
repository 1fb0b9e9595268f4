import { HoldfastError } from '../errors.ts';

export type HttpSignatureErrorCode =
  /** A field that every signed request carries is missing. */
  | 'SIGNATURE_MISSING'
  /** A field occurs twice or is not of the one form that is accepted, or the request's target is unusual. */
  | 'SIGNATURE_MALFORMED'
  /** The session is another: the request was signed for another node or another boot. */
  | 'SESSION_MISMATCH'
  | 'CLIENT_UNKNOWN'
  /** Created too long ago. */
  | 'SIGNATURE_EXPIRED'
  /** Created too far in the future: one of the clocks is wrong. */
  | 'SIGNATURE_PREMATURE'
  | 'SIGNATURE_INVALID'
  /** The body is not the one whose digest was signed. */
  | 'DIGEST_MISMATCH'
  | 'SIGNATURE_REPLAYED'
  /** Too many requests are remembered to be sure that this one is new: the client may try again. */
  | 'REPLAY_CACHE_FULL';

export class HttpSignatureError extends HoldfastError<HttpSignatureErrorCode> {}
