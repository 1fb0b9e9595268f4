/** A map key: an integer or text, so that equal keys need no canonical form. */
export type CborKey = number | bigint | string;

/**
 * A decoded CBOR item. Integers are numbers where they are safe and bigints beyond; byte strings are plain
 * `Uint8Array`s, never a subclass.
 */
export type CborValue =
  null | boolean | number | bigint | string | Uint8Array | CborValue[] | Map<CborKey, CborValue>;

/** A map whose keys were all text, as an object without a prototype, which zod schemas take. */
export interface CborObject {
  [key: string]: CborPlain;
}

/** A decoded value in which every map is a {@link CborObject}. */
export type CborPlain = null | boolean | number | bigint | string | Uint8Array | CborPlain[] | CborObject;
