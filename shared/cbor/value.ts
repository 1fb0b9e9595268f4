/** Map keys: integers and text only, so that "the same key" needs no canonical form. */
export type CborKey = number | bigint | string;

/**
 * What CBOR decodes to. Integers are numbers as long as they are safe ones and bigints beyond; byte strings are plain
 * `Uint8Array`s, never a subclass.
 */
export type CborValue =
  null | boolean | number | bigint | string | Uint8Array | CborValue[] | Map<CborKey, CborValue>;

/** A map whose keys were all text, as an object without a prototype: what zod schemas take. */
export interface CborObject {
  [key: string]: CborPlain;
}

/** A decoded value in which every map is a {@link CborObject}. */
export type CborPlain = null | boolean | number | bigint | string | Uint8Array | CborPlain[] | CborObject;
