import type { VaultDocument } from '../../index.ts';
import type { Ceremony } from '../step.ts';
import { infrastructureChangeRestart, type RestartChange } from './infrastructure-change-restart.ts';
import { type NodeChange, nodeChangeConfiguration } from './node-change-configuration.ts';

/**
 * Ceremony by which a vault gets other people, keys or rules: each node's admin signs for their node, and infrastructure
 * restarts the nodes.
 */
export function changeCeremony(vault: VaultDocument, change: NodeChange & RestartChange): Ceremony {
  return {
    steps: [
      ...vault.nodes.map(({ node }) => nodeChangeConfiguration(vault, change, node)),
      infrastructureChangeRestart(vault, change),
    ],
    counts: () => true,
  };
}
