import { HoldfastError } from '../errors.ts';

/** Codes for DER that is not canonical, or not what RFC 5280 has at that place. */
export type DerErrorCode =
  | 'DER_BIT_STRING'
  /** A BIT STRING without the octet that counts its unused bits. */
  | 'DER_BIT_STRING_EMPTY'
  | 'DER_BOOLEAN'
  /** A value spelt out that equals its DEFAULT: X.690 section 11.5. */
  | 'DER_DEFAULT'
  | 'DER_INDEFINITE_LENGTH'
  | 'DER_INTEGER'
  | 'DER_LENGTH'
  | 'DER_OBJECT_IDENTIFIER'
  | 'DER_SET_ORDER'
  | 'DER_TAG'
  | 'DER_TIME'
  | 'DER_TRAILING_BYTES'
  | 'DER_TRUNCATED';

/** Creates the error to throw for a fault of the encoding; the user of a reader chooses its class and code. */
export type CreateError<Code extends string> = (code: Code, message: string, offset: number) => Error;

/** Bytes that are not the BER which {@link parseBer} takes; `details.offset` is the place. */
export class BerError extends HoldfastError<'BER_MALFORMED'> {}
