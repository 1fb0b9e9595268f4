import type { ConfigurationDocument2 } from '../../../../shared/documents/configuration.ts';
import { openConfiguration } from '../../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../../shared/documents/manifest.ts';
import type { Exchange, Facts } from '../../exchange/index.ts';
import { type Role, roleOfNode, type VaultDocument } from '../../index.ts';
import { isSameUpgrade } from '../upgrade/state.ts';
import { findLeaps, newestChange, readChanges } from './change.ts';
import { findNewest } from './newest.ts';

/** Configuration of one node, as the statements have it. */
export interface ConfigurationStatus {
  readonly node: number;
  /** Newest version that the node's admin has stated. */
  readonly version: number;
  /** SHA-384 of the signed bytes, hex. */
  readonly digest: string;
  /** When it was stated, RFC 3339. */
  readonly time: string;
  /** Version that infrastructure has said last to run; null: it has said none. */
  readonly running: number | null;
  /** Change of the vault's rules that the node has taken part in last; 0: none. */
  readonly change: number;
  /** Whether that number is too far ahead of the others' to count (`VAULT_CHANGE_LEAP`). */
  readonly isLeap: boolean;
  /** How many of each the configuration has. */
  readonly counts: Readonly<Record<'clients' | 'approvers' | 'keys' | 'rules', number>>;
  /** Ids of the clients that it has. */
  readonly clients: readonly string[];
  /** Who has to do something before the node runs the newest change; null: nobody. */
  readonly waitsFor: Role | null;
}

/**
 * Describes the configurations of all nodes by the statements alone. Nodes without one are left out.
 *
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed; ConfigurationError
 */
export async function describeConfigurations(
  vault: VaultDocument,
  exchange: Exchange,
): Promise<readonly ConfigurationStatus[]> {
  const changes = await readChanges(vault, exchange);
  const [latest, leaps] = [newestChange(changes, vault.threshold), findLeaps(changes, vault.threshold)];
  const described: ConfigurationStatus[] = [];
  for (const { node } of vault.nodes) {
    const newest = await findNewest(exchange, node);
    if (newest === undefined) continue;
    const { version, digest, statement } = newest;
    const { clients, approvers, keys, rules } = await openStated(exchange, node, statement);
    const running = await findRunning(exchange, node);
    const change = changes.get(node)?.facts.change ?? 0;
    const isLeap = leaps.includes(node);
    described.push({
      node,
      version,
      digest,
      time: statement.time,
      running,
      change,
      isLeap,
      counts: {
        clients: clients.length,
        approvers: approvers.length,
        keys: keys.length,
        rules: rules.length,
      },
      clients: clients.map(({ id }) => id),
      waitsFor:
        isLeap || change < latest ? roleOfNode(node) : (running ?? 0) < version ? 'infrastructure' : null,
    });
  }
  return described;
}

async function openStated(
  exchange: Exchange,
  node: number,
  statement: Parameters<Exchange['file']>[0],
): Promise<Pick<ConfigurationDocument2, 'clients' | 'approvers' | 'keys' | 'rules'>> {
  const envelope = await exchange.file(statement, 'configuration.json');
  const stated = await exchange.statement(roleOfNode(node), 'manifest');
  const manifest = stated && (await exchange.file(stated, 'manifest.json'));
  if (manifest === undefined) throw new TypeError('expected the manifest of a node that has a configuration');
  return openConfiguration(envelope, { manifest: parseManifest(manifest), digest: digestManifest(manifest) })
    .configuration;
}

/** Finds the version that infrastructure has said to run: after its restarts, or with the images of an upgrade. */
async function findRunning(exchange: Exchange, node: number): Promise<number | null> {
  const role = roleOfNode(node);
  const restarts = [
    await exchange.statement('infrastructure', 'restart'),
    await exchange.statement('infrastructure', 'change-restart'),
  ].flatMap((one) => one?.facts.nodes ?? []);
  const versions = restarts.filter((one) => one.node === node).map(({ version }) => version);
  const moved = await exchange.statement('infrastructure', 'upgrade-nodes');
  const restored = await exchange.statement('infrastructure', 'upgrade-restore');
  const both = await exchange.statement(role, 'upgrade-configuration');
  const old = await exchange.statement(role, 'upgrade-rollback');
  const isIn = (facts: Facts<'upgrade-nodes' | 'upgrade-restore'> | undefined) =>
    facts?.nodes.some((one) => one.node === node) === true;
  if (moved !== undefined && isIn(moved.facts) && isSameUpgrade(both?.facts.upgrade, moved.facts.upgrade))
    versions.push(both?.facts.version ?? 0);
  if (
    restored !== undefined &&
    isIn(restored.facts) &&
    isSameUpgrade(old?.facts.upgrade, restored.facts.upgrade)
  )
    versions.push(old?.facts.version ?? 0);
  return versions.length === 0 ? null : Math.max(...versions);
}
