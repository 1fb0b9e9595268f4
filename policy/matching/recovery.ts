import type { Recovery } from '../../shared/documents/configuration.ts';
import type { Charge, Shortage } from '../accumulations/index.ts';
import { describeAmount } from '../coins.ts';
import { type Mismatch, mismatch } from '../reasons.ts';
import type { PolicyState } from '../state.ts';
import { countAsset, isUncountable, movesAmount } from './facts.ts';
import { normaliseName } from './names.ts';
import type { Question } from './question.ts';

/** The name by which what was moved without a backup is counted: no limit of a rule has it. */
const LIMIT = 'without backup';

/** Keys that need a kept backup, and what each may move without one. */
export interface PreparedRecovery {
  readonly required: ReadonlySet<string>;
  readonly maxima: readonly { readonly asset: string; readonly max: bigint; readonly seconds: number }[];
}

/** Prepares what a configuration says of backups. */
export function prepareRecovery({ required, maxUncovered }: Recovery): PreparedRecovery {
  return {
    required: new Set(required),
    maxima: maxUncovered.map(({ asset, max, seconds }) => ({
      asset: normaliseName(asset),
      max: BigInt(max),
      seconds,
    })),
  };
}

/** What a request may do by the backup of its key: all, what is counted by charges, or nothing. */
export type Coverage =
  | { readonly outcome: 'covered'; readonly charges: readonly Charge[] }
  | {
      readonly outcome: 'uncovered';
      readonly code: 'BACKUP_MISSING' | 'BACKUP_OUTDATED';
      readonly reason: Mismatch;
      /** Milliseconds until the request is small enough; null: time alone does not help. */
      readonly milliseconds: number | null;
    };

const COVERED: Coverage = { outcome: 'covered', charges: [] };

/**
 * Judges a signature by the backup of its key: without one that is kept, or of another epoch, a key signs no more than the
 * configuration says, and nothing that nobody can count. Changes nothing that counts.
 */
export function judgeCoverage(
  recovery: PreparedRecovery | undefined,
  { request, facts, time }: Question,
  { accumulations }: Pick<PolicyState, 'accumulations'>,
): Coverage {
  const { key, operation, backup = 'missing' } = request;
  if (recovery?.required.has(key) !== true || operation !== 'sign' || backup === 'kept') return COVERED;
  const code = backup === 'outdated' ? 'BACKUP_OUTDATED' : 'BACKUP_MISSING';
  const kept =
    backup === 'outdated'
      ? `the backup of ${key} that is kept is of an epoch or key of before`
      : `no backup of ${key} is known to be kept`;
  const refuse = (why: string, milliseconds: number | null = null): Coverage => ({
    outcome: 'uncovered',
    code,
    reason: mismatch(null, 'recovery', `${kept}, and ${why}`),
    milliseconds,
  });
  const { maxima } = recovery;
  if (maxima.length === 0) return refuse('without one it signs nothing');
  if (facts === undefined || facts.effects.some((effect) => isUncountable(facts, effect)))
    return refuse('nobody can count what the request moves');
  const named = new Set(maxima.map(({ asset }) => asset));
  const other = facts.effects.find(
    (one) => movesAmount(one) && (one.asset === null || !named.has(one.asset)),
  );
  if (other !== undefined) return refuse(`without one it moves no ${other.effect.asset ?? 'unknown asset'}`);
  const charges: Charge[] = [];
  for (const { asset, max, seconds } of maxima) {
    const amount = countAsset(facts, asset);
    if (amount === null) return refuse('nobody can count what the request moves');
    // Assets that the request does not move need no window.
    if (amount > 0n) charges.push({ limit: LIMIT, asset, per: 'key', subject: key, amount, max, seconds });
  }
  const shortage = charges.length === 0 ? undefined : accumulations.findShortage(charges, time.now);
  if (shortage === undefined) return { outcome: 'covered', charges };
  return refuse(describe(shortage), shortage.kind === 'limit' ? shortage.milliseconds : null);
}

function describe(shortage: Shortage): string {
  const { asset, amount, max, seconds } = shortage.charge;
  if (shortage.kind === 'full') return 'no more windows can be remembered';
  const say = (value: bigint) => describeAmount(value, asset);
  return `without one it moves at most ${say(max)} in ${seconds} s: ${say(shortage.spent)} was moved, this moves ${say(amount)}`;
}
