import { type CurvePoint, type CurvePointCons, mulAddUnsafe } from '@noble/curves/abstract/curve.js';
import { ed25519, ristretto255 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type Element, type Group, type GroupName, type Groups } from './group.ts';
import { createScalarField } from './noble-scalars.ts';

const IMPLEMENTATION = Symbol('noble');

interface NobleElement<P> extends Element {
  readonly point: P;
}

/**
 * Builds a group over a curve of @noble/curves, which computes with BigInt: without secret-dependent branches by design,
 * and not in constant time. Values of BigInt stay in memory until they are collected.
 */
function createGroup<P extends CurvePoint<unknown, P>>(
  name: GroupName,
  elementBytes: 32 | 33,
  Point: CurvePointCons<P>,
): Group {
  const { Fn } = Point;
  const scalars = createScalarField(Fn);
  const wrap = (point: P): NobleElement<P> => ({ implementation: IMPLEMENTATION, point });
  const unwrap = (element: Element): P => {
    if (element.implementation !== IMPLEMENTATION)
      throw new TypeError('expected an element of this implementation');
    return (element as NobleElement<P>).point;
  };
  const parse = (scalar: Uint8Array): bigint => {
    if (!scalars.isCanonical(scalar)) throw new RangeError('expected a reduced scalar of 32 bytes');
    return Fn.fromBytes(scalar);
  };
  return Object.freeze({
    name,
    elementBytes,
    scalars,
    decode(bytes: Uint8Array) {
      if (bytes.length !== elementBytes) return undefined;
      try {
        const point = Point.fromBytes(Uint8Array.from(bytes));
        point.assertValidity();
        return point.is0() || !point.isTorsionFree() ? undefined : wrap(point);
      } catch {
        return undefined;
      }
    },
    encode(element: Element) {
      const point = unwrap(element);
      if (point.is0()) throw new RangeError('expected an element other than the identity');
      return new Uint8Array(point.toBytes());
    },
    isIdentity: (element: Element) => unwrap(element).is0(),
    equals: (a: Element, b: Element) => unwrap(a).equals(unwrap(b)),
    add: (a: Element, b: Element) => wrap(unwrap(a).add(unwrap(b))),
    negate: (a: Element) => wrap(unwrap(a).negate()),
    multiplyBase(scalar: Uint8Array) {
      return wrap(scalars.isZero(scalar) ? Point.ZERO : Point.BASE.multiply(parse(scalar)));
    },
    sumOfProducts(factors: readonly Uint8Array[], elements: readonly Element[]) {
      if (factors.length !== elements.length) throw new RangeError('expected one scalar for each element');
      return wrap(
        mulAddUnsafe(
          Point,
          elements.map((element) => unwrap(element)),
          factors.map((factor) => parse(factor)),
        ),
      );
    },
  });
}

/** The groups by @noble/curves, for every place where JavaScript runs. */
export const nobleGroups: Groups = Object.freeze({
  ed25519: createGroup('ed25519', 32, ed25519.Point),
  ristretto255: createGroup('ristretto255', 32, ristretto255.Point),
  p256: createGroup('p256', 33, p256.Point),
  secp256k1: createGroup('secp256k1', 33, secp256k1.Point),
});
