import { describeKey, describePool, describeRule } from '../../policy/index.ts';
import { isShareType } from '../../shared/algorithms.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import type { ConfigurationFile } from '../../admin/configurations/index.ts';
import {
  describeAddressBooks,
  describeApprovers,
  describeClient,
  describeClientGroups,
  describeWitnesses,
} from './people.ts';

/** A configuration in words: the identifiers in it are plain ASCII by its schema. */
export function describeConfiguration({ configuration, digest }: ConfigurationFile): string {
  const { version, manifest, notAfter, initialise, clients, keys, rules } = configuration;
  const { drop = [], pools = [], dropPoolKeys = [] } = configuration;
  return [
    `configuration, version ${version}`,
    `  SHA-384   ${digest}`,
    `  manifest  ${manifest}`,
    `  until     ${notAfter ?? 'the next one: it does not expire'}`,
    ...(initialise === undefined
      ? []
      : [
          `  ORDERS to start an empty store (${initialise.id}), until ${initialise.notAfter}, password ${initialise.password}`,
        ]),
    `  clients   ${clients.length === 0 ? 'none' : ''}`.trimEnd(),
    ...clients.map(describeClient),
    ...describeClientGroups(configuration),
    `  keys      ${keys.length === 0 ? 'none' : ''}`.trimEnd(),
    ...keys.map((key) => `    ${key.id}: ${describeKey(key)}`),
    ...warnOfShares(configuration),
    ...(pools.length === 0 ? [] : ['  pools of keys that clients have the node make']),
    ...pools.map((pool) => `    ${pool.id}: ${describePool(pool)}`),
    ...(drop.length + dropPoolKeys.length === 0 ? [] : ['  ORDERS to drop from the store, for good:']),
    ...drop.map(({ id, type, publicKey }) => `    ${id}: ${type} ${publicKey}`),
    ...dropPoolKeys.map((id) => `    key of a pool ${id}`),
    ...describeApprovers(configuration),
    ...describeAddressBooks(configuration),
    ...describeWitnesses(configuration),
    `  rules     ${rules.length === 0 ? 'none: nothing is allowed' : ''}`.trimEnd(),
    ...rules.map((rule) => `    ${rule.id}: ${describeRule(rule)}`),
  ].join('\n');
}

/** Shares that whoever may import them can still choose. */
function warnOfShares({ keys, rules }: Configuration): string[] {
  const importable = new Set(
    rules.filter(({ operations }) => operations.includes('import-share')).flatMap((rule) => rule.keys),
  );
  return keys
    .filter(
      ({ id, type, commitments }) => isShareType(type) && commitments === undefined && importable.has(id),
    )
    .map(
      ({ id }) =>
        `    WARNING: a client that may import ${id} chooses its group: pin "commitments", which the dealer knows`,
    );
}
