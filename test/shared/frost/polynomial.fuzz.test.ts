import fc from 'fast-check';
import { expect, it } from 'vitest';
import { computeLagrangeCoefficient } from '../../../shared/frost/polynomial.ts';
import { listGroups } from './groups/every-groups.ts';
import { decodeNumber, ORDERS } from './groups/oracles.ts';

/** Draws distinct numbers of signers and a number to compute the polynomial's value at, itself a member at times. */
const drawn = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 65_535 })), {
    minLength: 1,
    maxLength: 9,
  })
  .chain((members) =>
    fc.tuple(
      fc.constant(members),
      fc.oneof(fc.constant(0), fc.constantFrom(...members), fc.integer({ min: 0, max: 65_535 })),
    ),
  );

it.each(listGroups())(
  'Lagrange coefficients interpolate every power below the members ($title)',
  ({ group }) => {
    const order = ORDERS[group.name];
    fc.assert(
      fc.property(drawn, ([members, target]) => {
        const coefficients = members.map((member) =>
          decodeNumber(group.name, computeLagrangeCoefficient(group.scalars, members, member, target)),
        );
        for (const exponent of members.keys()) {
          const sum = members.reduce(
            (total, member, index) =>
              total + (coefficients[index] ?? 0n) * BigInt(member) ** BigInt(exponent),
            0n,
          );
          expect(sum % order).toBe(BigInt(target) ** BigInt(exponent) % order);
        }
      }),
    );
  },
);
