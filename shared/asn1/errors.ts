import { HoldfastError } from '../errors.ts';

/** DER that is not canonical, or not what RFC 5280 has at that place. */
export type DerErrorCode =
  | 'DER_BIT_STRING'
  /** Not even the octet that counts its unused bits. */
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

/** Makes the error to throw for a fault of the encoding: the reader's user says of which class, with which code. */
export type CreateError<Code extends string> = (code: Code, message: string, offset: number) => Error;

/** Bytes that are no BER of the kind that is read here; `details.offset` says where. */
export class BerError extends HoldfastError<'BER_MALFORMED'> {}
