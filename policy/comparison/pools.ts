import type { Configuration, Pool } from '../../shared/documents/configuration.ts';
import { describePool } from '../description.ts';
import {
  compareLists,
  compareMaxima,
  compareNames,
  type ConfigurationChange,
  type Difference,
  GRANTS,
  joinDifferences,
  reverse,
  REVOKES,
} from './change.ts';

/**
 * Compares pools of keys. A pool of more clients, types, keys or names, or whose keys are deleted sooner, permits more; so
 * does one that comes back with the keys that the store still has of it.
 */
export function comparePools(
  { pools: before = [], dropPoolKeys: dropped = [] }: Configuration,
  { pools: after = [], dropPoolKeys: drops = [] }: Configuration,
): ConfigurationChange[] {
  const named = (ids: readonly string[]) => ids.map((id) => ({ id }));
  return [
    ...compareLists('pool', [before, after], {
      describe: describePool,
      compare: comparePool,
      added: () => GRANTS,
      removed: () => REVOKES,
    }),
    ...compareLists('poolKey', [named(dropped), named(drops)], {
      describe: () => 'dropped from the store for good',
      compare: () => undefined,
      added: () => REVOKES,
    }),
  ];
}

function comparePool(before: Pool, after: Pool): Difference | undefined {
  return joinDifferences([
    compareNames('clients', [before.clients, after.clients]),
    compareNames('types', [before.types, after.types]),
    compareMaxima('keys at most', [BigInt(before.maximum), BigInt(after.maximum)]),
    compareNames('descriptions', [quote(before.descriptions), quote(after.descriptions)]),
    compareNames('aliases', [before.aliases, after.aliases]),
    compareMaxima(
      'days before a deletion',
      [BigInt(before.deletionDays), BigInt(after.deletionDays)],
      reverse(GRANTS),
    ),
  ]);
}

const quote = (patterns: readonly string[]) => patterns.map((pattern) => JSON.stringify(pattern));
