import { readNodeManifest } from './derive/manifest.ts';
import type { Exchange, Facts, Statement, StepName } from './exchange/index.ts';
import type { VaultDocument } from './document.ts';
import { VaultError } from './errors.ts';
import { findLastUpgrade, type LastUpgrade } from './last-upgrade.ts';
import { findLastStart } from './node-starts.ts';
import { type Role, roleOfNode } from './roles.ts';

/** Where one node is, and the manifest that it must have been given. */
export interface NodePlace {
  readonly node: number;
  readonly url: string;
  readonly manifest: Uint8Array;
}

/** What somebody has to know who asks the nodes of a vault. */
export interface VaultPlaces {
  /** Release that all nodes run, as their admins vouch for it. */
  readonly release: Facts<'release'>;
  readonly nodes: readonly NodePlace[];
}

/**
 * Finds where the nodes of a vault are and what they run, by the statements of those who decide it: addresses by
 * infrastructure, manifest and release by each node's admin. After an upgrade it is the release that the upgrade has left.
 *
 * @throws VaultError VAULT_NOT_SERVING, VAULT_MANIFEST_DIFFERS; ExchangeError STATEMENT_…
 */
export async function findPlaces(document: VaultDocument, exchange: Exchange): Promise<VaultPlaces> {
  const upgraded = await findLastUpgrade(document, exchange);
  await need(exchange, 'infrastructure', 'restart');
  const nodes: NodePlace[] = [];
  let release: Facts<'release'> | undefined;
  for (const { node } of document.nodes) {
    const role = roleOfNode(node);
    const manifest = await need(exchange, role, 'manifest');
    const bytes = await exchange.file(manifest, 'manifest.json');
    readNodeManifest(document, node, bytes);
    const { url } = (await findLastStart(exchange, node)) ?? {};
    const own = await findRelease(exchange, role, upgraded);
    if (url === undefined || (release !== undefined && own.pcrJson !== release.pcrJson))
      throw new VaultError('VAULT_NOT_SERVING', 'the statements do not say where all nodes run one release', {
        node,
      });
    release = own;
    nodes.push({ node, url, manifest: bytes });
  }
  if (release === undefined) throw new RangeError('expected a node');
  return { release, nodes };
}

async function findRelease(
  exchange: Exchange,
  role: Role,
  upgraded: LastUpgrade | undefined,
): Promise<Facts<'release'>> {
  const { facts: first } = await need(exchange, role, 'release');
  if (upgraded === undefined) return first;
  const { from, to } = upgraded.upgrade;
  const running = upgraded.image === 'new' ? to : from;
  // An admin has vouched for it in that upgrade, in one that has begun since, in an earlier one, or in the ceremony.
  const stated = await exchange.statement(role, 'upgrade-configuration');
  const vouched = [stated?.facts.new, stated?.facts.old, first].find((one) => one?.version === running);
  if (vouched !== undefined) return vouched;
  throw new VaultError('VAULT_NOT_SERVING', 'the admin of a node has not vouched for the release that runs', {
    role,
    release: running,
  });
}

async function need<Name extends StepName>(
  exchange: Exchange,
  role: Role,
  step: Name,
): Promise<Statement<Name>> {
  const found = await exchange.statement(role, step);
  if (found !== undefined) return found;
  throw new VaultError('VAULT_NOT_SERVING', 'the ceremony has not come so far that all nodes serve', {
    missing: `${role}/${step}`,
  });
}
