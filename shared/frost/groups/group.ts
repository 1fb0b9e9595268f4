/** Groups of prime order that shares are made in; RFC 9591, section 3.1. */
export type GroupName = 'ed25519' | 'ristretto255' | 'p256' | 'secp256k1';

/** An element of a group, in the form of the implementation that made it: of no use to another. */
export interface Element {
  readonly implementation: symbol;
}

/**
 * Arithmetic of scalars modulo the group's order. A scalar is its 32 bytes as RFC 9591 serialises it in that group
 * (little-endian for ed25519 and ristretto255, big-endian for the others), always reduced. Results are new arrays that
 * whoever asked for them clears where they are secret.
 */
export interface ScalarField {
  /** The order of the group. */
  readonly order: bigint;
  readonly isLittleEndian: boolean;
  /** Tells whether 32 bytes are a reduced scalar; zero is one. */
  isCanonical(bytes: Uint8Array): boolean;
  isZero(scalar: Uint8Array): boolean;
  fromNumber(value: bigint | number): Uint8Array<ArrayBuffer>;
  /** Reduces bytes of any length from 32 to 64, in the group's byte order. */
  reduce(bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  add(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  subtract(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  multiply(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  negate(a: Uint8Array): Uint8Array<ArrayBuffer>;
  /** @throws RangeError for zero */
  invert(a: Uint8Array): Uint8Array<ArrayBuffer>;
}

/** A group of prime order with its encoding. Elements handed in were made by this very implementation. */
export interface Group {
  readonly name: GroupName;
  /** Bytes of an encoded element: 32 for ed25519 and ristretto255, 33 (compressed SEC1) for the others. */
  readonly elementBytes: 32 | 33;
  readonly scalars: ScalarField;
  /**
   * Decodes an element: exactly `elementBytes`, canonical, of the prime-order group, not the identity. Undefined for
   * everything else.
   */
  decode(bytes: Uint8Array): Element | undefined;
  /** Encodes an element. @throws RangeError for the identity, which RFC 9591 never serialises */
  encode(element: Element): Uint8Array<ArrayBuffer>;
  isIdentity(element: Element): boolean;
  equals(a: Element, b: Element): boolean;
  add(a: Element, b: Element): Element;
  negate(a: Element): Element;
  /** Multiplies the generator. The scalar may be secret; zero gives the identity. */
  multiplyBase(scalar: Uint8Array): Element;
  /** Computes the sum of scalar · element over public values: its time depends on them. */
  sumOfProducts(scalars: readonly Uint8Array[], elements: readonly Element[]): Element;
}

/** The arithmetic of all groups, by one implementation. */
export type Groups = Readonly<Record<GroupName, Group>>;
