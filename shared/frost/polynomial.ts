import { type Element, type Group, type ScalarField } from './groups/group.ts';
import { type RandomSource, withSecrets } from './secrets.ts';

/** Random bytes that one scalar is reduced from, so that its bias is below 2^-250. */
const RANDOM_SCALAR_BYTES = 64;

/** Draws a scalar other than zero, which the caller clears. */
export function drawScalar({ scalars }: Group, random: RandomSource): Uint8Array<ArrayBuffer> {
  for (;;) {
    const scalar = withSecrets((keep) => {
      const bytes = keep(random(RANDOM_SCALAR_BYTES));
      if (bytes.length !== RANDOM_SCALAR_BYTES)
        throw new RangeError('expected as many bytes as were asked for');
      return scalars.reduce(bytes);
    });
    if (!scalars.isZero(scalar)) return scalar;
  }
}

/** Computes the value of a polynomial at x by Horner's rule. The caller clears the result. */
export function evaluate(
  scalars: ScalarField,
  coefficients: readonly Uint8Array[],
  x: number,
): Uint8Array<ArrayBuffer> {
  return withSecrets((keep) => {
    const factor = scalars.fromNumber(x);
    let value = scalars.fromNumber(0);
    for (const coefficient of coefficients.toReversed()) {
      value = scalars.add(keep(scalars.multiply(keep(value), factor)), coefficient);
    }
    return value;
  });
}

/** Computes the element of a polynomial's value at x from the commitments to its coefficients: RFC 9591, C.2. */
export function evaluateCommitments(group: Group, commitments: readonly Element[], x: number): Element {
  return group.sumOfProducts(listPowers(group.scalars, x, commitments.length), commitments);
}

/** Lists x^0, x^1, … , `count` of them. */
export function listPowers(scalars: ScalarField, x: number, count: number): Uint8Array[] {
  let power = 1n;
  return Array.from({ length: count }, () => {
    const bytes = scalars.fromNumber(power);
    power = (power * BigInt(x)) % scalars.order;
    return bytes;
  });
}

/**
 * Computes the Lagrange coefficient of `member` for the value of a polynomial at `target` (RFC 9591, 4.2, where
 * `target` is 0). `members` are distinct, `member` is one of them.
 */
export function computeLagrangeCoefficient(
  scalars: ScalarField,
  members: readonly number[],
  member: number,
  target = 0,
): Uint8Array<ArrayBuffer> {
  if (!members.includes(member) || new Set(members).size !== members.length)
    throw new RangeError('expected distinct members, this one among them');
  const { order } = scalars;
  let numerator = 1n;
  let denominator = 1n;
  for (const other of members) {
    if (other === member) continue;
    numerator *= BigInt(other - target);
    denominator *= BigInt(other - member);
  }
  const quotient = numerator * invertPublic(denominator, order);
  return scalars.fromNumber(reduceNumber(quotient, order));
}

function reduceNumber(value: bigint, order: bigint): bigint {
  const rest = value % order;
  return rest < 0n ? rest + order : rest;
}

/**
 * Inverts a public number by Euclid's algorithm. Differences of numbers of signers are small, and then it takes a few
 * steps, where an inversion in constant time takes as long as a multiplication of an element.
 */
function invertPublic(value: bigint, order: bigint): bigint {
  let [divisor, coefficient] = [order, 0n];
  let [rest, next] = value < 0n ? [-value, -1n] : [value, 1n];
  while (rest !== 0n) {
    const quotient = divisor / rest;
    [divisor, rest] = [rest, divisor - quotient * rest];
    [coefficient, next] = [next, coefficient - quotient * next];
  }
  if (divisor !== 1n) throw new RangeError('expected a number that the order does not divide');
  return coefficient;
}

/** Computes the sum of elements, of which there is at least one. */
export function sumElements(group: Group, elements: readonly Element[]): Element {
  return elements.reduce((sum, element) => group.add(sum, element));
}

/** Computes the sum of scalars. The caller clears the result. */
export function sumScalars(scalars: ScalarField, values: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  return withSecrets((keep) => {
    let sum = scalars.fromNumber(0);
    for (const value of values) sum = scalars.add(keep(sum), value);
    return sum;
  });
}
