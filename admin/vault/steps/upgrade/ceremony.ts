import type { VaultDocument } from '../../index.ts';
import type { Ceremony, Step } from '../step.ts';
import { infrastructureUpgradeAttestations } from './infrastructure-upgrade-attestations.ts';
import { infrastructureUpgradeNodes } from './infrastructure-upgrade-nodes.ts';
import { nodeUpgradeConfiguration } from './node-upgrade-configuration.ts';
import { nodeUpgradeGate } from './node-upgrade-gate.ts';
import { nodeUpgradeNarrow } from './node-upgrade-narrow.ts';
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
    counts: countsFor(upgrade),
  };
}
