import { nobleGroups } from '../../../shared/frost/groups/noble-groups.ts';
import type { Element, Group, GroupName, Groups } from '../../../shared/frost/groups/group.ts';

/*
 * Groups in which every logarithm is known: an element is its own scalar. They have no security and all the algebra, so
 * that thousands of ceremonies are played in the time of one.
 */

const IMPLEMENTATION = Symbol('toy');

interface ToyElement extends Element {
  readonly scalar: Uint8Array;
}

function createToyGroup(name: GroupName): Group {
  const { scalars, elementBytes } = nobleGroups[name];
  const wrap = (scalar: Uint8Array): ToyElement => ({ implementation: IMPLEMENTATION, scalar });
  const unwrap = (element: Element) => (element as ToyElement).scalar;
  const order = scalars.order;
  return {
    name,
    elementBytes,
    scalars,
    decode: (bytes) => {
      const scalar = bytes.subarray(elementBytes - 32);
      const isWhole =
        bytes.length === elementBytes && (elementBytes === 32 || bytes[0] === 2 || bytes[0] === 3);
      return isWhole && scalars.isCanonical(scalar) && !scalars.isZero(scalar)
        ? wrap(bytes[0] === 3 && elementBytes === 33 ? scalars.negate(scalar) : scalar.slice())
        : undefined;
    },
    encode: (element) => {
      const scalar = unwrap(element);
      if (scalars.isZero(scalar)) throw new RangeError('expected an element other than the identity');
      if (elementBytes === 32) return Uint8Array.from(scalar);
      // The smaller of a scalar and its negative stands for x, so that an element and its negative share it.
      const isOdd = BigInt(`0x${Buffer.from(scalar).toString('hex')}`) * 2n > order;
      return Uint8Array.of(isOdd ? 3 : 2, ...(isOdd ? scalars.negate(scalar) : scalar));
    },
    isIdentity: (element) => scalars.isZero(unwrap(element)),
    equals: (one, other) => Buffer.from(unwrap(one)).equals(unwrap(other)),
    add: (one, other) => wrap(scalars.add(unwrap(one), unwrap(other))),
    negate: (element) => wrap(scalars.negate(unwrap(element))),
    multiplyBase: (scalar) => wrap(Uint8Array.from(scalar)),
    sumOfProducts: (factors, elements) => {
      let sum: Uint8Array = scalars.fromNumber(0);
      for (const [index, element] of elements.entries())
        sum = scalars.add(sum, scalars.multiply(factors[index] ?? sum, unwrap(element)));
      return wrap(sum);
    },
  };
}

export const toyGroups: Groups = {
  ed25519: createToyGroup('ed25519'),
  ristretto255: createToyGroup('ristretto255'),
  p256: createToyGroup('p256'),
  secp256k1: createToyGroup('secp256k1'),
};
