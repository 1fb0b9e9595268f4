import type { PreparedPermit } from '../policy.ts';
import { describeAmount } from '../coins.ts';
import { type Mismatch, mismatch, type RuleField } from '../reasons.ts';
import { type ConditionField, findUnmatched, type PreparedCondition } from './conditions.ts';
import type { EffectFacts, Facts } from './facts.ts';

/** The fields of a condition, from the one that is compared first. */
const FIELDS: readonly ConditionField[] = ['effects', 'to', 'assets', 'contracts', 'selectors', 'amount'];

const withinMaximum = (value: bigint | null, max: bigint) => value !== null && value <= max;

/**
 * Finds the first member of a permit that a transaction does not match; undefined where it matches all of them. What a
 * member looks at and the transaction lacks does not match. {@link explainMismatch} says which part of an effect it is.
 */
export function findMismatch(rule: PreparedPermit, facts: Facts): RuleField | undefined {
  if (!rule.payloads.has(facts.payload)) return 'payloads';
  if (rule.networks !== null && (facts.network === null || !rule.networks.has(facts.network)))
    return 'networks';
  return findMemberMismatch(rule, facts);
}

/** Finds what {@link findMismatch} does, in a permit that is known to name the kind of payload and the network. */
export function findMemberMismatch(rule: PreparedPermit, facts: Facts): RuleField | undefined {
  const { conditions, features, fee, gas, nonce } = rule;
  for (const feature of facts.features) if (!features.has(feature)) return 'features';
  for (const effect of facts.effects) {
    if (!matchesSome(conditions, effect)) return 'effects';
  }
  if (fee !== null && !isWithinFee(fee, facts)) return 'fee';
  if (gas !== null && !withinMaximum(facts.gas, gas)) return 'gas';
  if (nonce !== null && !(withinMaximum(facts.nonce, nonce.max) && (facts.nonce ?? -1n) >= nonce.min)) {
    return 'nonce';
  }
  return undefined;
}

function matchesSome(conditions: readonly PreparedCondition[], effect: EffectFacts): boolean {
  for (const condition of conditions) if (findUnmatched(condition, effect) === undefined) return true;
  return false;
}

/** Tells whether a fee is in the asset, below the maximum, and below the share of what moves of that asset. */
function isWithinFee({ asset, max, share }: NonNullable<PreparedPermit['fee']>, facts: Facts): boolean {
  if (facts.fee === null || facts.fee.asset !== asset || facts.fee.amount > max) return false;
  if (share === null) return true;
  const moved = facts.totals.get(asset);
  return moved !== undefined && moved !== null && facts.fee.amount * 10_000n <= share * moved;
}

/** Finds the condition of which an effect matches the most, and the field in which it does not. */
function findClosest(
  conditions: readonly PreparedCondition[],
  effect: EffectFacts,
): { field: ConditionField; condition: PreparedCondition | undefined } {
  let closest: { field: ConditionField; condition: PreparedCondition | undefined } = {
    field: 'effects',
    condition: undefined,
  };
  for (const condition of conditions) {
    const field = findUnmatched(condition, effect);
    if (field !== undefined && FIELDS.indexOf(field) > FIELDS.indexOf(closest.field)) {
      closest = { field, condition };
    }
  }
  return closest;
}

/** Says in words why a permit does not match in a field that {@link findMismatch} has found. */
export function explainMismatch(rule: PreparedPermit, facts: Facts, field: RuleField): Mismatch {
  if (field !== 'effects') return mismatch(rule.id, field, DETAILS[field]?.(rule, facts));
  const index = facts.effects.findIndex((effect) => !matchesSome(rule.conditions, effect));
  const effect = facts.effects[index];
  if (effect === undefined) return mismatch(rule.id, field);
  const { field: closest, condition } = findClosest(rule.conditions, effect);
  const where = facts.effects.length === 1 ? '' : `effect ${index + 1}: `;
  return mismatch(rule.id, closest, `${where}${describeEffect(effect, closest, condition)}`);
}

const DETAILS: Partial<Record<RuleField, (rule: PreparedPermit, facts: Facts) => string | undefined>> = {
  payloads: (_, { payload }) => `payloads of kind ${payload} are not among those it names`,
  networks: (_, { network }) =>
    network === null ? 'the transaction names no network' : `network ${network} is not among those it names`,
  features: (rule, { features }) =>
    `feature ${features.find((name) => !rule.features.has(name)) ?? ''} is not tolerated`,
  fee: ({ fee }, facts) => describeFee(fee, facts),
  gas: (rule, { gas }) =>
    gas === null ? 'gas is not known' : `gas ${gas} is over the maximum ${rule.gas ?? 0n}`,
  nonce: (rule, { nonce }) =>
    nonce === null
      ? 'the nonce is not known'
      : `nonce ${nonce} is not from ${rule.nonce?.min ?? 0n} to ${rule.nonce?.max ?? 0n}`,
};

function describeFee(fee: PreparedPermit['fee'], facts: Facts): string {
  if (fee === null || facts.fee === null) return 'the fee is not known';
  const { asset, amount } = facts.fee;
  if (asset !== fee.asset) return `the fee is in ${asset}, not in ${fee.asset}`;
  if (amount > fee.max) {
    return `fee ${describeAmount(amount, asset)} is over the maximum ${describeAmount(fee.max, asset)}`;
  }
  return `fee ${describeAmount(amount, asset)} is over ${fee.share ?? 0n} hundredths of a percent of what moves`;
}

function describeEffect(
  facts: EffectFacts,
  field: ConditionField,
  condition: PreparedCondition | undefined,
): string {
  const { type, to, asset, contract, selector } = facts.effect;
  const what: Readonly<Record<ConditionField, string>> = {
    effects: `it permits no effect of type ${type}`,
    to: `destination ${to ?? 'not known'} is not among those it names`,
    assets: `asset ${asset ?? 'not known'} is not among those it names`,
    contracts: `contract ${contract ?? 'not known'} is not among those it names`,
    selectors: `function ${selector ?? 'not known'} of ${contract ?? 'the protocol'} is not among those it names`,
    amount: describeTotal(facts, condition),
  };
  return what[field];
}

function describeTotal({ total, effect: { asset } }: EffectFacts, condition?: PreparedCondition): string {
  if (total === null) return 'the amount has no end or is not known';
  const { min = null, max = null } = condition ?? {};
  return max !== null && total > max
    ? `amount ${describeAmount(total, asset)} is over the maximum ${describeAmount(max, asset)}`
    : `amount ${describeAmount(total, asset)} is under the minimum ${describeAmount(min ?? 0n, asset)}`;
}
