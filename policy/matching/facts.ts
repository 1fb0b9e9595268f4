import type { Algorithm, PayloadKind } from '../../shared/algorithms.ts';
import type { EffectType } from '../../shared/effect-types.ts';
import { normaliseOn } from '../../shared/addresses.ts';
import { type Effect, MAX_EFFECTS, type Transaction } from '../transactions/transaction.ts';
import { nameAccount, nameAmbiguous, normaliseName } from './names.ts';

/** An effect with its names as they are compared; null where it lacks one. */
export interface EffectFacts {
  readonly type: EffectType;
  readonly to: string | null;
  readonly asset: string | null;
  readonly amount: bigint | null;
  readonly contract: string | null;
  readonly selector: string | null;
  /** What the whole transaction moves of the asset; null where an amount of it is not known, or there is no asset. */
  readonly total: bigint | null;
  readonly effect: Effect;
}

/** What conditions look at, read once for each decision. */
export interface Facts {
  readonly client: string;
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly payload: PayloadKind;
  readonly network: string | null;
  readonly effects: readonly EffectFacts[];
  readonly features: readonly string[];
  readonly fee: { readonly asset: string; readonly amount: bigint } | null;
  readonly gas: bigint | null;
  readonly nonce: bigint | null;
  /** By asset: what the whole transaction moves; null where an amount is not known. */
  readonly totals: ReadonlyMap<string, bigint | null>;
}

/** Reads a transaction for comparison. @throws RangeError for what no decoder gives */
export function readFacts(
  { client, key, algorithm }: { client: string; key: string; algorithm: Algorithm },
  { kind, network, effects, features, fee, gas, nonce }: Transaction,
): Facts {
  if (effects.length === 0 || effects.length > MAX_EFFECTS) throw new RangeError('effects out of range');
  const totals = new Map<string, bigint | null>();
  for (const { asset, amount } of effects) {
    if (asset === null) continue;
    const name = normaliseName(asset);
    const before = totals.get(name);
    totals.set(name, before === null || amount === null ? null : (before ?? 0n) + asAmount(amount));
  }
  const nameOn = (address: string | null) =>
    network === null || address === null ? null : nameAccount(network, address);
  return {
    client,
    key,
    algorithm,
    payload: kind,
    network,
    features,
    fee: fee && { asset: normaliseName(fee.asset), amount: asAmount(fee.amount) },
    gas: gas && asAmount(gas),
    nonce: nonce && asAmount(nonce),
    totals,
    effects: effects.map((effect) => {
      const asset = effect.asset === null ? null : normaliseName(effect.asset);
      return {
        type: effect.type,
        to: nameOn(effect.to),
        asset,
        amount: effect.amount,
        contract: nameOn(effect.contract),
        selector: effect.selector === null ? null : normaliseOn(network ?? '', effect.selector),
        total: asset === null ? null : (totals.get(asset) ?? null),
        effect,
      };
    }),
  };
}

function asAmount(value: bigint): bigint {
  if (typeof value !== 'bigint' || value < 0n) throw new RangeError('an amount is below zero or no number');
  return value;
}

/** Effects that move an amount: without asset and amount nobody can count them. */
const MOVES: ReadonlySet<EffectType> = new Set(['transfer', 'allowance', 'stake']);
/** Effects of which nobody knows what they move: code that an account is handed to may take all of it. */
const UNREAD: ReadonlySet<EffectType> = new Set(['blind', 'unknown', 'authorise-code']);
/** Kinds whose messages are no remark beside a transfer: orders and the like, with which others take what they say. */
const ORDERS: ReadonlySet<PayloadKind> = new Set(['ethereum-message', 'ethereum-typed-data', 'tezos-data']);

/** Tells whether an effect moves what nobody can count. */
export function isUncountable({ payload }: Facts, { type, asset }: EffectFacts): boolean {
  return (
    UNREAD.has(type) || (MOVES.has(type) && asset === null) || (type === 'message' && ORDERS.has(payload))
  );
}

/** Tells whether an effect moves an amount: a new contract may get one, too. */
export const movesAmount = ({ type, asset }: EffectFacts): boolean => MOVES.has(type) || asset !== null;

/**
 * Lists the names of what counts as an asset: its own, and that of calls which may move it. Undefined where the number in
 * such a call is no amount of the asset for certain, but in ERC-721 the id of a token.
 */
export function listNames({ effects }: Facts, asset: string): readonly string[] | undefined {
  const ambiguous = nameAmbiguous(asset);
  if (ambiguous === undefined || effects.every((effect) => effect.asset !== ambiguous)) return [asset];
  return asset.includes('/erc20:') ? [asset, ambiguous] : undefined;
}

/**
 * Counts what the whole transaction moves of an asset, 0 where none of its parts is in that asset; null where nobody can
 * know. A call counts by what it says that it moves.
 */
export function countAsset(facts: Facts, asset: string): bigint | null {
  const names = listNames(facts, asset);
  if (names === undefined || facts.effects.some((effect) => isUncountable(facts, effect))) return null;
  let sum = 0n;
  for (const name of names) {
    const total = facts.totals.get(name);
    if (total === null) return null;
    sum += total ?? 0n;
  }
  return sum;
}
