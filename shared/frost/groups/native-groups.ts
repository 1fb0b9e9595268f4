import type { NativeAddon } from '../../native/addon.ts';
import type { Element, Group, GroupName, Groups, ScalarField } from './group.ts';

type NativeArithmetic = Pick<
  NativeAddon,
  | 'decodeElement'
  | 'encodeElement'
  | 'isIdentity'
  | 'equalElements'
  | 'addElements'
  | 'negateElement'
  | 'multiplyBase'
  | 'sumOfProducts'
  | 'isScalar'
  | 'reduceScalar'
  | 'addScalars'
  | 'subtractScalars'
  | 'multiplyScalars'
  | 'invertScalar'
>;

interface Parameters {
  /** The number of the group in the addon (`GROUPS` of groups.c). */
  readonly number: number;
  readonly order: bigint;
  readonly isLittleEndian: boolean;
  readonly elementBytes: 32 | 33;
}

const SCALAR_BYTES = 32;
/** Terms of one sum that the addon takes (`MAX_TERMS` of groups.h). */
const MAX_TERMS = 1024;

/** RFC 9591, section 6: the order of the prime-order subgroup of edwards25519, and of ristretto255. */
const ORDER_25519 = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn;

const PARAMETERS: Readonly<Record<GroupName, Parameters>> = {
  ed25519: { number: 0, order: ORDER_25519, isLittleEndian: true, elementBytes: 32 },
  ristretto255: { number: 1, order: ORDER_25519, isLittleEndian: true, elementBytes: 32 },
  p256: {
    number: 2,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    isLittleEndian: false,
    elementBytes: 33,
  },
  secp256k1: {
    number: 3,
    order: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    isLittleEndian: false,
    elementBytes: 33,
  },
};

/**
 * Creates the groups of the addon: libsodium's group code for ed25519 and ristretto255, libsecp256k1, Node's OpenSSL for
 * P-256. Arithmetic of scalars and multiplication of the generator are constant time; no scalar becomes a BigInt, and
 * results lie outside of V8's heap, where clearing them leaves no copy.
 */
export function createNativeGroups(native: NativeArithmetic): Groups {
  return Object.freeze({
    ed25519: createGroup(native, 'ed25519'),
    ristretto255: createGroup(native, 'ristretto255'),
    p256: createGroup(native, 'p256'),
    secp256k1: createGroup(native, 'secp256k1'),
  });
}

/** An element as the addon keeps it, which nothing else can read or make. */
class NativeElement implements Element {
  readonly implementation: symbol;
  readonly #bytes: Uint8Array;

  constructor(implementation: symbol, bytes: Uint8Array) {
    this.implementation = implementation;
    this.#bytes = bytes;
  }

  /** Returns the addon's form of an element of that very group. @throws TypeError for any other */
  static unwrap(implementation: symbol, element: Element): Uint8Array {
    if (!(element instanceof NativeElement) || element.implementation !== implementation)
      throw new TypeError('expected an element of this group and implementation');
    return element.#bytes;
  }
}

function createGroup(native: NativeArithmetic, name: GroupName): Group {
  const { number, elementBytes } = PARAMETERS[name];
  const implementation = Symbol(`native ${name}`);
  const wrap = (bytes: Uint8Array) => new NativeElement(implementation, bytes);
  const unwrap = (element: Element) => NativeElement.unwrap(implementation, element);
  const group: Group = {
    name,
    elementBytes,
    scalars: createScalarField(native, PARAMETERS[name]),
    decode(bytes) {
      const element = native.decodeElement(number, bytes);
      return element === null ? undefined : wrap(element);
    },
    encode(element) {
      const bytes = native.encodeElement(number, unwrap(element));
      if (bytes === null) throw new RangeError('expected an element other than the identity');
      return bytes;
    },
    isIdentity: (element) => native.isIdentity(number, unwrap(element)),
    equals: (a, b) => native.equalElements(number, unwrap(a), unwrap(b)),
    add: (a, b) => wrap(native.addElements(number, unwrap(a), unwrap(b))),
    negate: (a) => wrap(native.negateElement(number, unwrap(a))),
    multiplyBase: (scalar) => wrap(native.multiplyBase(number, scalar)),
    sumOfProducts(scalars, elements) {
      if (scalars.length !== elements.length || scalars.length > MAX_TERMS)
        throw new RangeError(`expected one scalar for each of at most ${MAX_TERMS} elements`);
      return wrap(native.sumOfProducts(number, [...scalars], elements.map(unwrap)));
    },
  };
  return Object.freeze(group);
}

function createScalarField(
  native: NativeArithmetic,
  { number, order, isLittleEndian }: Parameters,
): ScalarField {
  const zero = new Uint8Array(SCALAR_BYTES);
  const field: ScalarField = {
    order,
    isLittleEndian,
    isCanonical: (bytes) => native.isScalar(number, bytes),
    isZero(scalar) {
      if (!native.isScalar(number, scalar)) throw new RangeError('expected a reduced scalar of 32 bytes');
      let any = 0;
      for (const byte of scalar) any |= byte;
      return any === 0;
    },
    fromNumber(value) {
      const whole = BigInt(value);
      if (whole < 0n || whole >= order) throw new RangeError('expected a number below the order');
      const bytes = Uint8Array.from(Buffer.from(whole.toString(16).padStart(2 * SCALAR_BYTES, '0'), 'hex'));
      return isLittleEndian ? bytes.reverse() : bytes;
    },
    reduce: (bytes) => native.reduceScalar(number, bytes),
    add: (a, b) => native.addScalars(number, a, b),
    subtract: (a, b) => native.subtractScalars(number, a, b),
    multiply: (a, b) => native.multiplyScalars(number, a, b),
    negate: (a) => native.subtractScalars(number, zero, a),
    invert: (a) => native.invertScalar(number, a),
  };
  return Object.freeze(field);
}
