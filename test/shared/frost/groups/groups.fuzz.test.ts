import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Element, type Group } from '../../../../shared/frost/groups/group.ts';
import { listGroups } from './every-groups.ts';
import { decodeNumber, encodeMultiple, encodeNumber, ORDERS } from './oracles.ts';

/** Draws numbers below the order: any, and those at the edges of the order, of words of 64 bits and of zero. */
function drawScalar(order: bigint): fc.Arbitrary<bigint> {
  const edges = [0n, 1n, 2n, order - 1n, order - 2n, (order - 1n) / 2n, (order + 1n) / 2n];
  const powers = fc
    .tuple(fc.integer({ min: 1, max: 252 }), fc.integer({ min: -1, max: 1 }))
    .map(([power, offset]) => 2n ** BigInt(power) + BigInt(offset));
  return fc.oneof(fc.bigInt({ min: 0n, max: order - 1n }), fc.constantFrom(...edges), powers);
}

function encodeOrUndefined(group: Group, element: Element): Uint8Array | undefined {
  return group.isIdentity(element) ? undefined : group.encode(element);
}

describe.each(listGroups())('$title', ({ group }) => {
  const { name, scalars } = group;
  const order = ORDERS[name];
  const scalar = drawScalar(order);
  const encode = (value: bigint) => encodeNumber(name, value);
  const modulo = (value: bigint) => encode(((value % order) + order) % order);

  it('computes with scalars as with numbers', () => {
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        expect(scalars.add(encode(a), encode(b))).toEqual(modulo(a + b));
        expect(scalars.subtract(encode(a), encode(b))).toEqual(modulo(a - b));
        expect(scalars.multiply(encode(a), encode(b))).toEqual(modulo(a * b));
        expect(scalars.negate(encode(a))).toEqual(modulo(-a));
        expect(scalars.isZero(encode(a))).toBe(a === 0n);
        expect(scalars.fromNumber(a)).toEqual(encode(a));
      }),
      { numRuns: 500 },
    );
  });

  it('inverts every scalar but zero', () => {
    fc.assert(
      fc.property(
        scalar.filter((a) => a !== 0n),
        (a) => {
          const inverse = decodeNumber(name, scalars.invert(encode(a)));
          expect(inverse < order).toBe(true);
          expect((inverse * a) % order).toBe(1n);
        },
      ),
    );
    expect(() => scalars.invert(encode(0n))).toThrow(RangeError);
  });

  it('reduces 32 to 64 bytes of any value', () => {
    const wide = fc
      .integer({ min: 32, max: 64 })
      .chain((length) =>
        fc.oneof(
          fc.uint8Array({ minLength: length, maxLength: length }),
          fc.constant(new Uint8Array(length).fill(0xff)),
          fc.constant(new Uint8Array(length)),
        ),
      );
    const multiples = fc
      .tuple(fc.bigInt({ min: 0n, max: 15n }), fc.integer({ min: -1, max: 1 }))
      .map(([factor, offset]) => factor * order + BigInt(offset))
      .filter((value) => value >= 0n && value < 2n ** 256n)
      .map(encode);
    fc.assert(
      fc.property(fc.oneof(wide, multiples), (bytes) => {
        expect(scalars.reduce(bytes)).toEqual(modulo(decodeNumber(name, bytes)));
      }),
      { numRuns: 500 },
    );
  });

  it('takes for a scalar what is below the order, and nothing else', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), (value) => {
        expect(scalars.isCanonical(encode(value))).toBe(value < order);
      }),
    );
    for (const [value, isScalar] of [
      [0n, true],
      [order - 1n, true],
      [order, false],
      [order + 1n, false],
      [2n ** 256n - 1n, false],
    ] as const) {
      expect(scalars.isCanonical(encode(value))).toBe(isScalar);
    }
  });

  it("finds the multiples of the generator that noble's points find", () => {
    fc.assert(
      fc.property(scalar, (a) => {
        const element = group.multiplyBase(encode(a));
        const encoded = encodeMultiple(name, a);
        expect(group.isIdentity(element)).toBe(a === 0n);
        expect(encodeOrUndefined(group, element)).toEqual(encoded);
        if (encoded === undefined) return;
        const decoded = group.decode(encoded);
        expect(decoded).toBeDefined();
        if (decoded === undefined) return;
        expect(group.equals(decoded, element)).toBe(true);
        expect(group.encode(decoded)).toEqual(encoded);
        expect(encodeOrUndefined(group, group.negate(decoded))).toEqual(encodeMultiple(name, -a));
      }),
    );
  });

  it('adds elements, equal, opposite and neutral ones too', () => {
    const pairs = fc.oneof(
      fc.tuple(scalar, scalar),
      scalar.map((a) => [a, a] as const),
      scalar.map((a) => [a, a === 0n ? 0n : order - a] as const),
      scalar.map((a) => [a, 0n] as const),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const [left, right] = [group.multiplyBase(encode(a)), group.multiplyBase(encode(b))];
        expect(encodeOrUndefined(group, group.add(left, right))).toEqual(encodeMultiple(name, a + b));
        expect(group.equals(left, right)).toBe(a === b);
      }),
    );
  });

  it('sums products of scalars and elements, from none to nine of them', () => {
    const terms = fc.array(fc.tuple(scalar, scalar), { maxLength: 9 });
    fc.assert(
      fc.property(terms, (list) => {
        const sum = group.sumOfProducts(
          list.map(([factor]) => encode(factor)),
          list.map(([, multiple]) => group.multiplyBase(encode(multiple))),
        );
        const expected = list.reduce((total, [factor, multiple]) => total + factor * multiple, 0n);
        expect(encodeOrUndefined(group, sum)).toEqual(encodeMultiple(name, expected));
      }),
    );
  });

  it('decodes no encoding that it would write otherwise', () => {
    const bytes = fc.uint8Array({ minLength: group.elementBytes, maxLength: group.elementBytes });
    const near = fc
      .tuple(
        scalar.filter((a) => a !== 0n),
        fc.nat({ max: 8 * group.elementBytes - 1 }),
      )
      .map(([a, bit]) => {
        const changed = Uint8Array.from(encodeMultiple(name, a) ?? []);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return changed;
      });
    fc.assert(
      fc.property(fc.oneof(bytes, near), (encoded) => {
        const element = group.decode(encoded);
        return element === undefined || Buffer.from(encoded).equals(group.encode(element));
      }),
    );
    expect(group.decode(encodeMultiple(name, 1n) ?? encode(0n))).toBeDefined();
  });
});
