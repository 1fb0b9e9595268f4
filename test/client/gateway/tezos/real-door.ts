import type { NodeClientOptions } from '../../../../client/index.ts';
import {
  GatewayNodes,
  type GatewayServer,
  silentGatewayLog,
  startGatewayServer,
} from '../../../../client/gateway/index.ts';
import { createTezosProtocol, type TezosSection } from '../../../../client/gateway/tezos/index.ts';
import { CLIENT } from '../../../../local/testbed/scenario.ts';
import type { DecisionNode } from '../../../e2e/support/decision-node.ts';

/** A door on loopback in front of real nodes. */
export interface RealDoor {
  readonly url: string;
  readonly nodes: GatewayNodes;
  close(): Promise<void>;
}

type Reached = Pick<NodeClientOptions, 'url' | 'trust'>;

/** Opens a door in front of nodes. */
export async function openRealDoor(
  reached: readonly Reached[],
  privateKey: NodeClientOptions['privateKey'],
  section: Partial<Omit<TezosSection, 'listen'>> = {},
): Promise<RealDoor> {
  const nodes = new GatewayNodes({
    nodes: reached,
    clients: [{ id: CLIENT, privateKey }],
    log: silentGatewayLog,
    timeoutMs: 60_000,
    readyMs: 60_000,
  });
  const protocol = createTezosProtocol({
    nodes: nodes.client(CLIENT),
    section: { client: CLIENT, proofOfPossession: true, ...section },
  });
  const server: GatewayServer = await startGatewayServer({
    listen: { port: 0 },
    protocol,
    probes: { readiness: () => nodes.readiness },
    log: silentGatewayLog,
    drainMs: 1_000,
  });
  return {
    url: server.address.url,
    nodes,
    close: async () => {
      await server.close();
      nodes.close();
    },
  };
}

/** Opens a door in front of one node of a scenario. */
export function openDoorOf(place: DecisionNode, section: Partial<Omit<TezosSection, 'listen'>> = {}) {
  const { testbed, testNode, pcrs } = place.scenario;
  const trust = { root: testbed.host.rootCertificate, pcrs, manifest: testNode.manifestBytes };
  return openRealDoor([{ url: place.url, trust }], testNode.client.privateKey, section);
}
