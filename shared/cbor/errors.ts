import { HoldfastError } from '../errors.ts';

export type CborErrorCode =
  /** A break outside an indefinite-length map. */
  | 'CBOR_BREAK'
  | 'CBOR_DUPLICATE_KEY'
  | 'CBOR_FLOAT'
  /** `__proto__` as a key, where maps become objects. */
  | 'CBOR_FORBIDDEN_KEY'
  | 'CBOR_INDEFINITE'
  /** A map key of a type that the caller does not take: anything but integers and text. */
  | 'CBOR_KEY_TYPE'
  | 'CBOR_NON_MINIMAL'
  /** Additional information 28 to 30: RFC 8949 section 3. */
  | 'CBOR_RESERVED'
  /** `undefined` or an unassigned simple value. */
  | 'CBOR_SIMPLE_VALUE'
  | 'CBOR_TAG'
  | 'CBOR_TOO_DEEP'
  | 'CBOR_TOO_LARGE'
  | 'CBOR_TOO_MANY_ITEMS'
  | 'CBOR_TRAILING_BYTES'
  | 'CBOR_TRUNCATED'
  | 'CBOR_UTF8'
  /** The outermost item is not the map that the caller expects. */
  | 'CBOR_WRONG_TYPE';

/** Bytes that are not the CBOR which {@link decodeCbor} takes; `details.offset` is the byte of the fault. */
export class CborError extends HoldfastError<CborErrorCode> {}
