import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeTransaction,
  encodeTransaction,
  transactionSchema,
} from '../../../policy/transactions/json.ts';
import { EFFECT_TYPES, type Transaction } from '../../../policy/transactions/index.ts';

const text = fc.string({ maxLength: 20, unit: 'grapheme' });
const amount = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n });
const nullable = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: null });
const details = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  text,
  { maxKeys: 3, noNullPrototype: true },
);
const transaction: fc.Arbitrary<Transaction> = fc.record({
  kind: fc.constantFrom('ethereum-transaction', 'solana-transaction', 'digest'),
  network: nullable(text),
  source: nullable(text),
  effects: fc.array(
    fc.record({
      type: fc.constantFrom(...EFFECT_TYPES),
      to: nullable(text),
      asset: nullable(text),
      amount: nullable(amount),
      contract: nullable(text),
      selector: nullable(text),
      details,
    }),
    { minLength: 1, maxLength: 3 },
  ),
  fee: nullable(fc.record({ asset: text, amount })),
  nonce: nullable(amount),
  gas: nullable(amount),
  features: fc.array(text, { maxLength: 3 }),
  details,
});

describe('the JSON form of a transaction', () => {
  it('comes back as it was, through text and schema', () => {
    fc.assert(
      fc.property(transaction, (original) => {
        const form = transactionSchema.parse(JSON.parse(JSON.stringify(encodeTransaction(original))));
        expect(decodeTransaction(form)).toEqual(original);
      }),
    );
  });

  const sample = encodeTransaction({
    kind: 'digest',
    network: null,
    source: null,
    effects: [
      { type: 'blind', to: null, asset: null, amount: 5n, contract: null, selector: null, details: {} },
    ],
    fee: null,
    nonce: null,
    gas: null,
    features: [],
    details: {},
  });
  const [effect] = sample.effects;
  it.each([
    ['a number for an amount', { ...sample, nonce: 5 }],
    ['an empty amount', { ...sample, nonce: '' }],
    ['an amount in hex', { ...sample, nonce: '0x5' }],
    ['79 digits', { ...sample, nonce: '1'.repeat(79) }],
    ['no member for what does not apply', { ...sample, gas: undefined }],
    ['a member too many', { ...sample, memo: null }],
    ['an effect with a member too many', { ...sample, effects: [{ ...effect, memo: null }] }],
    ['an effect too many', { ...sample, effects: Array.from({ length: 129 }, () => effect) }],
    ['no effect', { ...sample, effects: [] }],
    ['a fee without an asset', { ...sample, fee: { amount: '1' } }],
    ['a detail that is no text', { ...sample, details: { size: 1 } }],
    ['half of a surrogate pair', { ...sample, source: '\udc00' }],
  ])('is refused with %s', (_, form) => {
    expect(transactionSchema.safeParse(sample).success).toBe(true);
    expect(transactionSchema.safeParse(form).success).toBe(false);
  });
});
