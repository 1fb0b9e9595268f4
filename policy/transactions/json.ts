import * as z from 'zod';
import { payloadKindSchema } from '../../shared/algorithms.ts';
import { EFFECT_TYPES, MAX_EFFECTS, type Transaction } from './transaction.ts';

/** Digits of the largest amount of a chain: 2^256 - 1 has 78. */
const MAX_DECIMAL_DIGITS = 78;
/** Features of one transaction. */
const MAX_FEATURES = 64;

/** Text without half of a surrogate pair, which strict readers of JSON refuse. */
const text = z.string().refine((value) => value.isWellFormed(), { error: 'half of a surrogate pair' });
/** A bigint: decimal, without leading zeros, never negative. */
const decimal = z
  .string()
  .max(MAX_DECIMAL_DIGITS)
  .regex(/^(?:0|[1-9][0-9]*)$/);
const details = z.record(text, text);

const effectSchema = z.strictObject({
  type: z.enum(EFFECT_TYPES),
  to: text.nullable(),
  asset: text.nullable(),
  amount: decimal.nullable(),
  contract: text.nullable(),
  selector: text.nullable(),
  details,
});

/** The JSON form of a Transaction: the same members in the same order, each bigint as a decimal string. */
export const transactionSchema = z.strictObject({
  kind: payloadKindSchema,
  network: text.nullable(),
  source: text.nullable(),
  effects: z.array(effectSchema).min(1).max(MAX_EFFECTS),
  fee: z.strictObject({ asset: text, amount: decimal }).nullable(),
  nonce: decimal.nullable(),
  gas: decimal.nullable(),
  features: z.array(text).max(MAX_FEATURES),
  details,
});
export type TransactionJson = z.infer<typeof transactionSchema>;

const toDecimal = (value: bigint | null): string | null => (value === null ? null : value.toString());
const toBigint = (value: string | null): bigint | null => (value === null ? null : BigInt(value));

/** Converts a transaction to its JSON form, with members in the order of {@link transactionSchema}. */
export function encodeTransaction(transaction: Transaction): TransactionJson {
  const { kind, network, source, effects, fee, nonce, gas, features, details } = transaction;
  return {
    kind,
    network,
    source,
    effects: effects.map(({ type, to, asset, amount, contract, selector, details }) => ({
      type,
      to,
      asset,
      amount: toDecimal(amount),
      contract,
      selector,
      details: { ...details },
    })),
    fee: fee === null ? null : { asset: fee.asset, amount: fee.amount.toString() },
    nonce: toDecimal(nonce),
    gas: toDecimal(gas),
    features: [...features],
    details: { ...details },
  };
}

/** Converts the JSON form back. The form was parsed by {@link transactionSchema}. */
export function decodeTransaction(json: TransactionJson): Transaction {
  return {
    ...json,
    effects: json.effects.map((effect) => ({ ...effect, amount: toBigint(effect.amount) })),
    fee: json.fee === null ? null : { asset: json.fee.asset, amount: BigInt(json.fee.amount) },
    nonce: toBigint(json.nonce),
    gas: toBigint(json.gas),
  };
}
