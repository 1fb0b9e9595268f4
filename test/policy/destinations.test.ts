import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { condition, MAINNET, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { outcomeOf, request, startPolicy } from './start-policy.ts';

const addressOf = (digit: number) => `0x${String(digit).repeat(40)}`;
const digit = fc.integer({ min: 0, max: 9 });
/** Addresses that a permit names; null for any; more than an index takes where `isLong`. */
const destination = fc.oneof(
  { weight: 8, arbitrary: fc.uniqueArray(digit, { minLength: 1, maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const LONG = Array.from({ length: 70 }, (_, index) => `0x${'f'.repeat(37)}${100 + index}`);

/** Rules are decided in the order of their names. */
const nameRule = (index: number) => `rule-${String(index).padStart(2, '0')}`;

const makePermit = (named: readonly number[] | null, isLong: boolean, index: number) =>
  permit({
    id: nameRule(index),
    effects: [
      condition({
        to: named && {
          books: [],
          addresses: [...named.map(addressOf), ...(isLong ? LONG : [])].map((each) => `${MAINNET}:${each}`),
        },
      }),
    ],
  });

describe('many permits of one client and key', () => {
  it('permit by the first that names the destinations of all effects', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(destination, fc.boolean()), { minLength: 30, maxLength: 40 }),
        fc.array(digit, { minLength: 1, maxLength: 2 }),
        (permits, recipients) => {
          const decide = startPolicy(
            permits.map(([named, isLong], index) => makePermit(named, isLong, index)),
          );
          const asked = transaction({ effects: recipients.map((each) => effect({ to: addressOf(each) })) });
          const first = permits.findIndex(
            ([named]) => named === null || recipients.every((each) => named.includes(each)),
          );
          const expected = first < 0 ? 'POLICY_DENIED' : `permitted ${nameRule(first)}`;
          expect(outcomeOf(decide(request(asked)))).toBe(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('deny a transaction that names no destination, where all of them name some', () => {
    const decide = startPolicy(
      Array.from({ length: 40 }, (_, index) => makePermit([index % 10], false, index)),
    );
    expect(outcomeOf(decide(request(transaction({ effects: [effect({ to: null })] }))))).toBe(
      'POLICY_DENIED',
    );
  });
});
