import type { StepName } from '../exchange/index.ts';
import type { VaultDocument } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import { infrastructureAttestations } from './infrastructure-attestations.ts';
import { infrastructureBaseline } from './infrastructure-baseline.ts';
import { infrastructureHosts, lacksHost } from './infrastructure-hosts.ts';
import { infrastructureRestart } from './infrastructure-restart.ts';
import { infrastructurePeersRestart, infrastructureStart } from './infrastructure-start.ts';
import { hasFunction, nodeConfiguration } from './node-configuration.ts';
import { nodeFinalConfiguration } from './node-final-configuration.ts';
import { nodeGate } from './node-gate.ts';
import { nodeKmsStack } from './node-kms-stack.ts';
import { nodeManifest } from './node-manifest.ts';
import { nodeNarrow } from './node-narrow.ts';
import { nodeNonce } from './node-nonce.ts';
import { nodePeersConfiguration } from './node-peers-configuration.ts';
import { nodeRelease } from './node-release.ts';
import { nodeSigningFunction } from './node-signing-function.ts';
import type { Ceremony, Step } from './step.ts';
import { findUpgradeState, isSameUpgrade, type UpgradeName, upgradeOf } from './upgrade/state.ts';

/** Steps of a vault's ceremony, in an order in which each comes after those that it needs. */
export function stepsOf(vault: VaultDocument): readonly Step[] {
  const ofNodes = (make: (node: number) => Step): readonly Step[] =>
    vault.nodes.map(({ node }) => make(node));
  const isWitnessed = vault.parts.peerWitnesses !== null;
  return [
    infrastructureBaseline,
    ...ofNodes(nodeKmsStack),
    ...ofNodes(nodeManifest),
    ...vault.nodes
      .filter(({ node }) => hasFunction(vault, node))
      .map(({ node }) => nodeSigningFunction(node)),
    ...ofNodes(nodeRelease),
    ...ofNodes((node) => nodeConfiguration(vault, node)),
    infrastructureHosts(vault),
    ...ofNodes(nodeNonce),
    infrastructureAttestations(vault),
    ...ofNodes(nodeGate),
    infrastructureStart(vault),
    ...ofNodes(nodeNarrow),
    ...(isWitnessed ? ofNodes((node) => nodePeersConfiguration(vault, node)) : []),
    ...ofNodes((node) => nodeFinalConfiguration(vault, node)),
    ...(isWitnessed ? [infrastructurePeersRestart(vault)] : []),
    infrastructureRestart(vault),
  ];
}

/** Steps whose effects an upgrade has replaced: images, configurations, and the documents and starts that led to them. */
const REPLACED: ReadonlySet<StepName> = new Set([
  'release',
  'configuration',
  'nonce',
  'attestations',
  'gate',
  'start',
  'final-configuration',
]);

/** Whether the admin of this run has named an upgrade themselves. */
async function hasNamed({ exchange, role }: StepContext, upgrade: UpgradeName): Promise<boolean> {
  const stated = await exchange.statement(role, 'upgrade-configuration');
  return isSameUpgrade(stated && upgradeOf(stated), upgrade);
}

/** Ceremony that leads from nothing to nodes that serve, of which every statement about its steps tells. */
export function firstCeremony(vault: VaultDocument): Ceremony {
  return {
    steps: stepsOf(vault),
    counts: () => true,
    async begin(context) {
      const { running, open } = await findUpgradeState(vault, context.exchange);
      const isOpen = open !== undefined && (open.isShared || (await hasNamed(context, open.upgrade)));
      if (!isOpen) return running === vault.release.version ? new Set() : REPLACED;
      // A host that is gone is made anew in the middle of an upgrade, which goes on or back with it.
      if (context.role === 'infrastructure' && (await lacksHost(context)))
        return new Set(stepsOf(vault).flatMap(({ name }) => (name === 'hosts' ? [] : [name])));
      throw new StepError(
        'VAULT_UPGRADE_UNDER_WAY',
        'an upgrade is under way, and has to come to its end first',
        {
          ...open.upgrade,
          direction: open.direction,
        },
      );
    },
  };
}
