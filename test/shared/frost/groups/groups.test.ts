import { describe, expect, it } from 'vitest';
import { type Element, type Group } from '../../../../shared/frost/groups/group.ts';
import { listGroups, listImplementations } from './every-groups.ts';
import { encodeNumber, ORDERS } from './oracles.ts';

/** Bytes whose buffer was handed to somebody else. */
function detach(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

function encodeGenerator(group: Group): Uint8Array<ArrayBuffer> {
  return group.encode(group.multiplyBase(group.scalars.fromNumber(1)));
}

describe.each(listGroups())('$title', ({ group }) => {
  const { scalars, name } = group;
  const order = ORDERS[name];
  const one = scalars.fromNumber(1);
  const generator = group.multiplyBase(one);
  const identity = group.multiplyBase(scalars.fromNumber(0));

  it('says what it is', () => {
    expect(scalars.order).toBe(order);
    expect(scalars.isLittleEndian).toBe(name === 'ed25519' || name === 'ristretto255');
    expect(encodeGenerator(group).length).toBe(group.elementBytes);
    expect(scalars.fromNumber(1)).toEqual(encodeNumber(name, 1n));
  });

  it('decodes nothing of another length, and nothing of a detached buffer', () => {
    const encoded = encodeGenerator(group);
    for (let length = 0; length <= 2 * encoded.length; length += 1) {
      const bytes = new Uint8Array(length);
      bytes.set(encoded.subarray(0, length));
      expect(group.decode(bytes) !== undefined).toBe(length === encoded.length);
    }
    expect(group.decode(detach(encoded))).toBeUndefined();
  });

  it('takes a part of an array, wherever it begins', () => {
    const encoded = encodeGenerator(group);
    for (let offset = 0; offset < 9; offset += 1) {
      const memory = new Uint8Array(96).fill(0xaa);
      memory.set(encoded, offset);
      expect(group.decode(memory.subarray(offset, offset + encoded.length))).toBeDefined();
      memory.set(one, offset);
      const scalar = memory.subarray(offset, offset + 32);
      expect(scalars.add(scalar, scalar)).toEqual(scalars.fromNumber(2));
    }
  });

  it('refuses scalars that are not reduced, of another length or of a detached buffer', () => {
    const bad = [
      encodeNumber(name, order),
      new Uint8Array(32).fill(0xff),
      new Uint8Array(31),
      new Uint8Array(33),
      new Uint8Array(0),
      detach(new Uint8Array(32)),
    ];
    for (const scalar of bad) {
      expect(scalars.isCanonical(scalar)).toBe(false);
      for (const compute of [
        () => scalars.isZero(scalar),
        () => scalars.negate(scalar),
        () => scalars.invert(scalar),
        () => scalars.add(scalar, one),
        () => scalars.add(one, scalar),
        () => scalars.subtract(scalar, one),
        () => scalars.subtract(one, scalar),
        () => scalars.multiply(scalar, one),
        () => scalars.multiply(one, scalar),
        () => group.multiplyBase(scalar),
        () => group.sumOfProducts([scalar], [generator]),
        () => group.sumOfProducts([one, scalar], [generator, generator]),
      ]) {
        expect(compute).toThrow(RangeError);
      }
    }
    for (const length of [0, 31, 65])
      expect(() => scalars.reduce(new Uint8Array(length))).toThrow(RangeError);
    for (const value of [-1n, order, 2n ** 256n]) expect(() => scalars.fromNumber(value)).toThrow(RangeError);
    expect(() => scalars.fromNumber(0.5)).toThrow(RangeError);
  });

  it('encodes no identity', () => {
    expect(group.isIdentity(identity)).toBe(true);
    expect(() => group.encode(identity)).toThrow(RangeError);
    expect(() => group.encode(group.add(generator, group.negate(generator)))).toThrow(RangeError);
    expect(group.isIdentity(group.sumOfProducts([], []))).toBe(true);
    expect(group.equals(group.negate(identity), identity)).toBe(true);
    expect(group.equals(group.add(identity, generator), generator)).toBe(true);
    expect(group.equals(group.sumOfProducts([one], [identity]), identity)).toBe(true);
  });

  it('refuses lists of different lengths', () => {
    expect(() => group.sumOfProducts([one], [])).toThrow(RangeError);
    expect(() => group.sumOfProducts([], [generator])).toThrow(RangeError);
    expect(() => group.sumOfProducts([one], [generator, generator])).toThrow(RangeError);
  });

  it('leaves what it was given as it was', () => {
    const [a, b] = [scalars.fromNumber(5), scalars.fromNumber(order - 7n)];
    const copies = [a.slice(), b.slice()];
    scalars.add(a, b);
    scalars.multiply(a, b);
    scalars.invert(a);
    group.sumOfProducts([a, b], [generator, group.multiplyBase(a)]);
    scalars.negate(b).fill(0);
    expect([a, b]).toEqual(copies);
    expect(group.encode(generator)).toEqual(encodeGenerator(group));
  });
});

describe('elements', () => {
  const everywhere = listImplementations().flatMap(({ groups }) => Object.values(groups));
  const makers = everywhere.map((group) => ({
    group,
    element: group.multiplyBase(group.scalars.fromNumber(3)),
  }));

  it('of another implementation or of no group at all are refused', () => {
    const [noble, addon] = listImplementations();
    if (noble === undefined || addon === undefined) return;
    for (const [here, there] of [
      [noble.groups.secp256k1, addon.groups.secp256k1],
      [addon.groups.secp256k1, noble.groups.secp256k1],
    ] as const) {
      const element = there.multiplyBase(there.scalars.fromNumber(3));
      for (const use of listUses(here, element)) expect(use).toThrow(TypeError);
    }
  });

  it('that were only made to look like one are refused', () => {
    for (const { group, element } of makers) {
      const forged = [{ implementation: Symbol('native') }, { ...element, implementation: Symbol('noble') }];
      for (const each of forged) for (const use of listUses(group, each)) expect(use).toThrow(TypeError);
    }
  });
});

describe.each(listImplementations().filter(({ name }) => name !== 'noble'))(
  'elements of $name',
  ({ groups }) => {
    it('of another group are refused, also where both have the same form in memory', () => {
      for (const group of Object.values(groups)) {
        for (const other of Object.values(groups)) {
          const element = other.multiplyBase(other.scalars.fromNumber(3));
          for (const use of listUses(group, element))
            if (other === group) expect(use).not.toThrow();
            else expect(use).toThrow(TypeError);
        }
      }
    });

    it('show nothing of themselves that could be changed', () => {
      for (const group of Object.values(groups)) {
        const element = group.multiplyBase(group.scalars.fromNumber(3));
        expect(Object.keys(element)).toEqual(['implementation']);
      }
    });
  },
);

function listUses(group: Group, element: Element): (() => unknown)[] {
  const own = group.multiplyBase(group.scalars.fromNumber(1));
  return [
    () => group.encode(element),
    () => group.isIdentity(element),
    () => group.equals(own, element),
    () => group.equals(element, own),
    () => group.add(own, element),
    () => group.add(element, own),
    () => group.negate(element),
    () => group.sumOfProducts([group.scalars.fromNumber(1)], [element]),
  ];
}
