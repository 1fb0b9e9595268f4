import type { VaultDocument } from '../../index.ts';
import type { Ceremony, Step } from '../step.ts';
import { infrastructureUpgradeAttestations } from './infrastructure-upgrade-attestations.ts';
import {
  infrastructureUpgradeNodes,
  infrastructureUpgradeNodesBack,
} from './infrastructure-upgrade-nodes.ts';
import { infrastructureUpgradeRestore } from './infrastructure-upgrade-restore.ts';
import { nodeUpgradeConfiguration } from './node-upgrade-configuration.ts';
import { nodeUpgradeGate } from './node-upgrade-gate.ts';
import { nodeUpgradeNarrow } from './node-upgrade-narrow.ts';
import { nodeUpgradeRollback } from './node-upgrade-rollback.ts';
import { countsFor, type Upgrade } from './upgrade.ts';

/** Ceremony by which a vault goes from one release to another, node by node. */
export function upgradeCeremony(vault: VaultDocument, upgrade: Upgrade): Ceremony {
  const ofNodes = (make: (node: number) => Step): readonly Step[] =>
    vault.nodes.map(({ node }) => make(node));
  return {
    steps: [
      ...ofNodes((node) => nodeUpgradeConfiguration(vault, upgrade, node)),
      infrastructureUpgradeAttestations(vault, upgrade),
      ...ofNodes((node) => nodeUpgradeGate(upgrade, node)),
      infrastructureUpgradeNodes(vault, upgrade),
      ...ofNodes((node) => nodeUpgradeNarrow(upgrade, node)),
    ],
    counts: countsFor(upgrade, 'new'),
  };
}

/**
 * Ceremony by which a vault goes back to the release that it came from, within the overlap: the old image on all nodes first,
 * then each node's policy and configuration without the new one.
 */
export function rollBackCeremony(vault: VaultDocument, upgrade: Upgrade): Ceremony {
  return {
    steps: [
      infrastructureUpgradeNodesBack(upgrade),
      ...vault.nodes.map(({ node }) => nodeUpgradeRollback(vault, upgrade, node)),
      infrastructureUpgradeRestore(vault, upgrade),
    ],
    counts: countsFor(upgrade, 'old'),
  };
}
