import type { Configuration, Recovery } from '../../shared/documents/configuration.ts';
import { describeAmount } from '../coins.ts';
import {
  BOTH,
  change,
  compareMaxima,
  compareNames,
  type ConfigurationChange,
  type Difference,
  GRANTS,
  joinDifferences,
  REVOKES,
} from './change.ts';

/** Compares which keys need a kept backup, and what they may do without one: fewer keys, or more without, grants. */
export function compareRecovery(
  { recovery: before }: Configuration,
  { recovery: after }: Configuration,
): ConfigurationChange[] {
  if (before === undefined || after === undefined) {
    if (before === after) return [];
    return after === undefined
      ? [change('recovery', 'recovery', 'removed', { text: 'no key needs a backup any more', ...GRANTS })]
      : [change('recovery', 'recovery', 'added', { text: describeRecovery(after), ...REVOKES })];
  }
  const difference = joinDifferences([
    compareNames('keys that need a backup', [before.required, after.required], REVOKES),
    before.keepers === after.keepers
      ? undefined
      : { text: `kept by ${after.keepers}, not by ${before.keepers}`, ...BOTH },
    compareNames('without one', [listMaxima(before), listMaxima(after)]),
    compareGrace(before, after),
  ]);
  return difference === undefined ? [] : [change('recovery', 'recovery', 'changed', difference)];
}

const listMaxima = ({ maxUncovered }: Recovery): string[] =>
  maxUncovered.map(({ asset, max, seconds }) => `${describeAmount(BigInt(max), asset)} in ${seconds} s`);

function compareGrace(before: Recovery, after: Recovery): Difference | undefined {
  return compareMaxima('seconds for which the epoch before counts', [
    BigInt(before.graceSeconds),
    BigInt(after.graceSeconds),
  ]);
}

/** Describes in a sentence which keys need a backup, who keeps it, and what they do without one. */
export function describeRecovery(recovery: Recovery): string {
  const { required, keepers, graceSeconds } = recovery;
  const without = listMaxima(recovery);
  return [
    `${required.join(', ')} need a backup that one of ${keepers} says is kept`,
    `without one they move ${without.length === 0 ? 'nothing' : `at most ${without.join(', ')}`}`,
    ...(graceSeconds === 0 ? [] : [`that of the epoch before counts for ${graceSeconds} s`]),
  ].join('; ');
}
