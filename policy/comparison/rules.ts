import type { Condition, DenyRule, Limit, PermitRule, Rule } from '../../shared/documents/configuration.ts';
import { describeRate } from '../description.ts';
import { normaliseName } from '../matching/names.ts';
import {
  BOTH,
  compareMaxima,
  compareNames,
  type Difference,
  type Effect,
  GRANTS,
  joinDifferences,
  NEUTRAL,
  reverse,
  REVOKES,
} from './change.ts';

type Pair<T> = readonly [before: T, after: T];

const SCOPE = ['operations', 'clients', 'keys', 'algorithms', 'payloads'] as const;

/** Compares two rules of one name. More of a permit grants, more of a denial revokes. */
export function compareRules(before: Rule, after: Rule): Difference | undefined {
  if (before.effect === 'permit' && after.effect === 'permit') return comparePermits(before, after);
  if (before.effect === 'deny' && after.effect === 'deny') return compareDenials(before, after);
  return before.effect === 'permit'
    ? { text: 'denies what it permitted', ...REVOKES }
    : { text: 'permits what it denied', ...BOTH };
}

function compareScopes(before: Rule, after: Rule, more: Effect): (Difference | undefined)[] {
  return [
    ...SCOPE.map((list) => compareNames(list, [before[list], after[list]], more)),
    compareOptionalNames('networks', [before.networks, after.networks], more),
    compareTimes([before.time, after.time], more),
    compareConditions([before.effects, after.effects], more),
  ];
}

function comparePermits(before: PermitRule, after: PermitRule): Difference | undefined {
  return joinDifferences([
    ...compareScopes(before, after, GRANTS),
    compareNames('features', [before.features, after.features]),
    ...compareBounds(before, after),
    ...compareLimits([before.limits, after.limits]),
    compareApprovals([before.approvals, after.approvals]),
    compareTiers([before.tiers, after.tiers]),
    compareRates(before.rate, after.rate),
  ]);
}

function compareDenials(before: DenyRule, after: DenyRule): Difference | undefined {
  return joinDifferences([
    ...compareScopes(before, after, REVOKES),
    compareOptionalNames('features', [before.features, after.features], REVOKES),
  ]);
}

/** Compares lists of which null is everything. */
function compareOptionalNames(
  noun: string,
  [before, after]: Pair<readonly string[] | null>,
  more: Effect,
): Difference | undefined {
  if (before !== null && after !== null) return compareNames(noun, [before, after], more);
  if (before === after) return undefined;
  const [text, effect] = after === null ? ['all', more] : [after.join(' '), reverse(more)];
  return { text: `${noun}: ${text}`, ...effect };
}

function compareTimes([before, after]: Pair<Rule['time']>, more: Effect): Difference | undefined {
  if (canonicalTime(before) === canonicalTime(after)) return undefined;
  if (after === null) return { text: 'at any time', ...more };
  return { text: 'at another time', ...(before === null ? reverse(more) : BOTH) };
}

/** Writes a time so that what means the same is the same. */
function canonicalTime(time: Rule['time']): string {
  if (time === null) return 'null';
  const moment = (at: string | null) => (at === null ? null : Date.parse(at));
  const { days, hours, notBefore, notAfter } = time;
  return JSON.stringify([
    days && [...days].sort(),
    hours && [hours.from, hours.to],
    moment(notBefore),
    moment(notAfter),
  ]);
}

/** Compares conditions as a set. Two that differ in their amount alone are compared by it. */
function compareConditions(
  [before, after]: Pair<readonly Condition[] | null>,
  more: Effect,
): Difference | undefined {
  if (before === null || after === null) {
    if (before === after) return undefined;
    return {
      text: after === null ? 'every effect' : 'certain effects',
      ...(after === null ? more : reverse(more)),
    };
  }
  const [old, next] = [writeAll(before), writeAll(after)];
  const added = after.filter((_, index) => !old.has(canonicalCondition(after[index])));
  const gone = before.filter((_, index) => !next.has(canonicalCondition(before[index])));
  if (added.length + gone.length === 0) return undefined;
  const [one, other] = [gone[0], added[0]];
  const isOne = added.length === 1 && gone.length === 1;
  if (isOne && one !== undefined && other !== undefined && withoutAmount(one) === withoutAmount(other)) {
    return compareAmounts([one, other], more);
  }
  const say = (sign: string) => (condition: Condition) => `${sign}${condition.type}`;
  const less = reverse(more);
  return {
    text: `effects ${[...added.map(say('+')), ...gone.map(say('-'))].join(' ')}`,
    grants: (added.length > 0 && more.grants) || (gone.length > 0 && less.grants),
    revokes: (added.length > 0 && more.revokes) || (gone.length > 0 && less.revokes),
  };
}

function compareAmounts([before, after]: Pair<Condition>, more: Effect): Difference | undefined {
  const bound = (text: string | null | undefined) =>
    text === null || text === undefined ? null : BigInt(text);
  const least = (condition: Condition) => bound(condition.amount?.min) ?? 0n;
  return (
    joinDifferences([
      compareMaxima(
        `amount of ${after.type} at most`,
        [bound(before.amount?.max), bound(after.amount?.max)],
        more,
      ),
      compareMaxima(`amount of ${after.type} at least`, [least(before), least(after)], reverse(more)),
    ]) ?? { text: `amount of ${after.type} is bounded in other words`, ...BOTH }
  );
}

const writeAll = (conditions: readonly Condition[]) => new Set(conditions.map(canonicalCondition));
const withoutAmount = (condition: Condition) => canonicalCondition({ ...condition, amount: null });

/** Writes a condition so that what means the same is the same: lists are sets, Ethereum's names have no case. */
function canonicalCondition(condition: Condition | undefined): string {
  if (condition === undefined) return '';
  const { type, to, assets, contracts, amount, selectors } = condition;
  const set = (names: readonly string[]) => [...new Set(names.map(normaliseName))].sort();
  return JSON.stringify([
    type,
    to && [[...to.books].sort(), set(to.addresses)],
    assets && set(assets),
    contracts &&
      contracts
        .map(({ address, selectors }) =>
          JSON.stringify([normaliseName(address), selectors && [...selectors].sort()]),
        )
        .sort(),
    amount && [amount.min, amount.max],
    selectors === undefined ? null : [...selectors].sort(),
  ]);
}

function compareBounds(before: PermitRule, after: PermitRule): (Difference | undefined)[] {
  const optional = (text: string | undefined) => (text === undefined ? null : BigInt(text));
  return [
    compareFees([before.fee, after.fee]),
    compareMaxima('gas', [optional(before.gas?.max), optional(after.gas?.max)]),
    compareMaxima('nonce at most', [optional(before.nonce?.max), optional(after.nonce?.max)]),
    // No bound is less than one of 0: a transaction without a nonce matches only where there is none.
    compareMaxima('nonce at least', [least(before.nonce), least(after.nonce)], REVOKES),
  ];
}

const least = (nonce: PermitRule['nonce']): bigint => (nonce === null ? -1n : BigInt(nonce.min));

function compareFees([before, after]: Pair<PermitRule['fee']>): Difference | undefined {
  if (before === null || after === null) {
    if (before === after) return undefined;
    return after === null ? { text: 'any fee', ...GRANTS } : { text: `fee at most ${after.max}`, ...REVOKES };
  }
  if (normaliseName(before.asset) !== normaliseName(after.asset)) {
    return { text: `fee in ${after.asset}`, ...BOTH };
  }
  const share = ({ maxShareBasisPoints }: NonNullable<PermitRule['fee']>) =>
    maxShareBasisPoints === null ? null : BigInt(maxShareBasisPoints);
  return joinDifferences([
    compareMaxima('fee', [BigInt(before.max), BigInt(after.max)]),
    compareMaxima('share of the fee in basis points', [share(before), share(after)]),
  ]);
}

function compareLimits([before, after]: Pair<readonly Limit[]>): (Difference | undefined)[] {
  const old = new Map(before.map((limit) => [limit.id, limit]));
  const kept = new Set(after.map(({ id }) => id));
  return [
    ...before.filter(({ id }) => !kept.has(id)).map(({ id }) => ({ text: `without limit ${id}`, ...GRANTS })),
    ...after.map((limit) => {
      const former = old.get(limit.id);
      return former === undefined
        ? { text: `with limit ${limit.id}: ${limit.max} per ${limit.seconds} s`, ...REVOKES }
        : compareLimit(former, limit);
    }),
  ];
}

function compareLimit(before: Limit, after: Limit): Difference | undefined {
  const isSame =
    normaliseName(before.asset) === normaliseName(after.asset) &&
    before.per === after.per &&
    before.fees === after.fees;
  if (!isSame) return { text: `limit ${after.id} counts something else`, ...BOTH };
  return joinDifferences([
    compareMaxima(`limit ${after.id}`, [BigInt(before.max), BigInt(after.max)]),
    compareMaxima(`seconds of limit ${after.id}`, [BigInt(before.seconds), BigInt(after.seconds)], REVOKES),
  ]);
}

function compareApprovals([before, after]: Pair<PermitRule['approvals']>): Difference | undefined {
  if (before === null || after === null) {
    if (before === after) return undefined;
    return after === null ? { text: 'without approvals', ...GRANTS } : { text: 'with approvals', ...REVOKES };
  }
  const countOf = ({ all }: typeof before, id: string) => all.find(({ group }) => group === id)?.count ?? 0;
  const groups = new Set([...before.all, ...after.all].map(({ group }) => group));
  return joinDifferences([
    ...[...groups].map((group) =>
      compareMaxima(
        `approvals of ${group}`,
        [BigInt(countOf(before, group)), BigInt(countOf(after, group))],
        REVOKES,
      ),
    ),
    compareMaxima('seconds to approve', [BigInt(before.expiresSeconds), BigInt(after.expiresSeconds)]),
  ]);
}

/** Compares tiers; of two lists that differ nobody says which permits more. */
function compareTiers([before, after]: Pair<PermitRule['tiers']>): Difference | undefined {
  if (canonicalTiers(before) === canonicalTiers(after)) return undefined;
  if (after.length === 0) return { text: 'without tiers', ...GRANTS };
  return before.length === 0 ? { text: 'with tiers', ...REVOKES } : { text: 'other tiers', ...BOTH };
}

function canonicalTiers(tiers: PermitRule['tiers']): string {
  const written = tiers.map(({ asset, steps }) =>
    JSON.stringify([
      normaliseName(asset),
      steps.map(({ max, approvals }) => [
        max,
        approvals && [
          approvals.all.map(({ group, count }) => `${group} ${count}`).sort(),
          approvals.expiresSeconds,
        ],
      ]),
    ]),
  );
  return JSON.stringify(written.sort());
}

/** Compares rates by two figures: the most requests at once, and the most over time. */
function compareRates(before: PermitRule['rate'], after: PermitRule['rate']): Difference | undefined {
  const text = `${describeRate(before)} is now ${describeRate(after)}`;
  if (before === null || after === null) {
    return before === after ? undefined : { text, grants: after === null, revokes: before === null };
  }
  if (before.count === after.count && before.seconds === after.seconds) return undefined;
  const burst = after.count - before.count;
  // The difference of count / seconds, cross-multiplied so that both products are exact.
  const flow = after.count * before.seconds - before.count * after.seconds;
  return { text, grants: burst > 0 || flow > 0, revokes: burst < 0 || flow < 0 };
}

/** What a rule that is added means; the opposite is what one that is gone means. */
export function effectOf({ effect }: Rule): Effect {
  return effect === 'permit' ? GRANTS : REVOKES;
}

/** What more names in a list mean that rules refer to: for permits, for denials, for both, or for none. */
export function effectOfUse(rules: readonly Rule[], isUsed: (rule: Rule) => boolean): Effect {
  const used = rules.filter(isUsed).map(effectOf);
  return used.length === 0
    ? NEUTRAL
    : { grants: used.some(({ grants }) => grants), revokes: used.some(({ revokes }) => revokes) };
}
