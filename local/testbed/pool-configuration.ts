import { ALGORITHMS, describeAlgorithm, POOL_KEY_TYPES } from '../../shared/algorithms.ts';
import type { PermitRule, Pool } from '../../shared/documents/configuration.ts';
import { poolOperationSchema } from '../../shared/operations.ts';
import type { ConfigurationBody2 } from './test-node.ts';
import { UNLIMITED } from '../../shared/documents/configuration/rules.ts';

/** Client of a node, and the pool that is its alone. */
export interface PoolClient {
  readonly id: string;
  /** Raw Ed25519 public key, 32 bytes in hex. */
  readonly publicKey: string;
  readonly pool: string;
  /** Members of its pool and of its rule that are not the usual ones. */
  readonly change?: { readonly pool?: Partial<Pool>; readonly rule?: Partial<PermitRule> };
}

/** Adds clients to a configuration, each with a pool in which it may make keys of every kind, and do everything with them. */
export function addPools(body: ConfigurationBody2, clients: readonly PoolClient[]): ConfigurationBody2 {
  const known = new Set(body.clients.map(({ id }) => id));
  const added = clients.filter(({ id }) => !known.has(id));
  return {
    ...body,
    clients: [...body.clients, ...added.map(({ id, publicKey }) => ({ id, publicKey, person: null }))],
    pools: [...(body.pools ?? []), ...clients.map(makePool)],
    rules: [...body.rules, ...clients.map(makeRule)],
  };
}

function makePool({ id, pool, change }: PoolClient): Pool {
  return {
    id: pool,
    clients: [id],
    types: [...POOL_KEY_TYPES],
    maximum: 64,
    descriptions: ['*'],
    aliases: ['*'],
    deletionDays: 7,
    ...change?.pool,
  };
}

function makeRule({ id, pool, change }: PoolClient): PermitRule {
  return {
    id: `use-${pool}`,
    effect: 'permit',
    operations: ['sign', ...poolOperationSchema.options],
    clients: [id],
    keys: [pool],
    algorithms: ALGORITHMS.filter((algorithm) =>
      describeAlgorithm(algorithm).keys.some((type) => (POOL_KEY_TYPES as readonly string[]).includes(type)),
    ),
    payloads: ['message', 'digest'],
    ...UNLIMITED,
    effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
    ...change?.rule,
  };
}
