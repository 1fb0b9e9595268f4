import type { Limit } from '../../shared/documents/configuration.ts';
import type { Charge } from '../accumulations/index.ts';
import { countAsset, type Facts, listNames } from './facts.ts';
import { normaliseName } from './names.ts';

/** An accumulation with its amount as a number. */
export interface PreparedLimit extends Omit<Limit, 'max'> {
  readonly max: bigint;
}

export function prepareLimit(limit: Limit): PreparedLimit {
  return { ...limit, asset: normaliseName(limit.asset), max: BigInt(limit.max) };
}

/** Lists what a transaction draws on a limit of a rule; undefined where nobody can know how much. */
export function listCharges(limit: PreparedLimit, rule: string, facts: Facts): Charge[] | undefined {
  const total = countAsset(facts, limit.asset);
  if (total === null) return undefined;
  const { id, asset, per, max, seconds } = limit;
  const charge = (subject: string, amount: bigint): Charge => ({
    limit: id,
    asset,
    per,
    subject,
    amount,
    max,
    seconds,
  });
  if (per === 'destination') {
    const amounts = sumByDestination(facts, asset);
    return amounts && [...amounts].map(([subject, amount]) => charge(subject, amount));
  }
  const fee = limit.fees ? feeIn(facts, asset) : 0n;
  if (fee === undefined) return undefined;
  return [charge({ client: facts.client, key: facts.key, rule }[per], total + fee)];
}

/** Sums what each recipient gets of an asset; undefined where a part has no recipient. */
function sumByDestination(facts: Facts, asset: string): Map<string, bigint> | undefined {
  const names = listNames(facts, asset);
  if (names === undefined) return undefined;
  const amounts = new Map<string, bigint>();
  for (const { to, asset: moved, amount } of facts.effects) {
    if (moved === null || !names.includes(moved)) continue;
    if (to === null || amount === null) return undefined;
    amounts.set(to, (amounts.get(to) ?? 0n) + amount);
  }
  return amounts;
}

/** Returns what the fee costs of an asset; undefined where the fee is not known. */
function feeIn({ fee }: Facts, asset: string): bigint | undefined {
  if (fee === null) return undefined;
  return fee.asset === asset ? fee.amount : 0n;
}
