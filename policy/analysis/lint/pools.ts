import type { Configuration, Pool, Rule } from '../../../shared/documents/configuration.ts';
import { MAX_POOL_RECORDS } from '../../../shared/documents/configuration/pools.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Finds pools in which no key can ever be made or used, and those whose keys have no room in the store together. */
export function lintPools(configuration: Configuration): ConfigurationFinding[] {
  const { pools = [], rules } = configuration;
  const permits = rules.filter(({ effect }) => effect === 'permit');
  const findings = pools.flatMap((pool): ConfigurationFinding[] => {
    const own = permits.filter(({ keys }) => keys.includes(pool.id));
    const blind = own.flatMap((rule) => lintClients(rule, pool, configuration));
    if (own.some(({ operations }) => operations.includes('create-key'))) return blind;
    const text =
      own.length === 0
        ? 'no rule permits anything with its keys'
        : 'no rule permits anybody to make a key in it; those that it has stay in use';
    return [...blind, { code: 'POOL_WITHOUT_CREATION', severity: 'warning', subject: pool.id, text }];
  });
  // A key is two records: what is known of it, and its secret.
  const records = 2 * pools.reduce((sum, { maximum }) => sum + maximum, 0);
  if (records <= MAX_POOL_RECORDS) return findings;
  const text = `the maxima of all pools are ${records} records, where the store has room for ${MAX_POOL_RECORDS} of them`;
  return [...findings, { code: 'POOLS_EXCEED_STORE', severity: 'warning', subject: null, text }];
}

/** Finds clients that a rule permits something with a pool that they do not see: its keys are unknown to them. */
function lintClients(
  { id, clients }: Rule,
  pool: Pool,
  { clientGroups }: Configuration,
): ConfigurationFinding[] {
  const membersOf = (names: readonly string[]) =>
    names.flatMap((name) => clientGroups.find((group) => group.id === name)?.clients ?? [name]);
  const seeing = new Set(membersOf(pool.clients));
  const others = [...new Set(membersOf(clients))].filter((client) => !seeing.has(client));
  if (others.length === 0) return [];
  const text = `${others.join(', ')} may not see pool ${pool.id}: the rule permits them nothing there`;
  return [{ code: 'POOL_UNSEEN', severity: 'warning', subject: id, text }];
}
