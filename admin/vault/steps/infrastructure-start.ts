import { verifierKeyName } from '../../../shared/documents/configuration/witnesses.ts';
import type { Facts } from '../exchange/index.ts';
import type { StepContext } from './context.ts';
import { deployNode, type DeployOrder, onAllHosts } from './deploy-node.ts';
import { nodeUrl, type StoreIdentity } from './deployment.ts';
import { StepError } from './errors.ts';
import { assertOneRelease } from './node-release.ts';
import type { Step } from './step.ts';
import { needStatement, needStatementsOfNodes, ofAllNodes } from './support.ts';

/** Step that starts the nodes, which KMS admits now. */
export function infrastructureStart(vault: StepContext['vault']): Step<'start'> {
  return {
    id: 'infrastructure/start',
    role: 'infrastructure',
    name: 'start',
    stage: 2,
    summary: 'start the nodes, which make their passwords and serve',
    needs: ['infrastructure/attestations', ...ofAllNodes(vault, 'gate')],
    async inspect(context) {
      await assertOneRelease(context);
      if ((await context.exchange.statement('infrastructure', 'start')) !== undefined)
        return { state: 'done' };
      return {
        state: 'ready',
        changes: vault.nodes.map(({ node }) => `starts node ${node} for the first time`),
      };
    },
    async apply(context) {
      const stated = await context.exchange.statement('infrastructure', 'start');
      if (stated !== undefined) return { facts: stated.facts, files: [] };
      const nodes = await onAllHosts(vault.nodes, async ({ node }) => {
        const order = { node, configuration: 'configuration', nonce: null, identity: null } as const;
        return { node, url: await urlOf(context, node), identity: await serve(order, context) };
      });
      return { facts: { nodes: [...nodes] }, files: [] };
    },
  };
}

/** Step that starts the nodes with configurations by which they know the logs of each other. */
export function infrastructurePeersRestart(vault: StepContext['vault']): Step<'peers-restart'> {
  const name = 'peers-restart';
  return {
    id: `infrastructure/${name}`,
    name,
    summary: 'restart the nodes with the configurations by which they know the logs of each other',
    ...restartWith({ name, configuration: 'peers-configuration' }),
    needs: [
      'infrastructure/start',
      ...ofAllNodes(vault, 'narrow'),
      ...ofAllNodes(vault, 'peers-configuration'),
    ],
  };
}

/** Step that starts the nodes with the configurations in which the order to initialise is gone. */
export function infrastructureRestart(vault: StepContext['vault']): Step<'restart'> {
  const name = 'restart';
  return {
    id: `infrastructure/${name}`,
    name,
    summary: 'restart the nodes with their final configurations',
    ...restartWith({ name, configuration: 'final-configuration' }),
    needs: [
      // All nodes know a log before it asks them for a cosignature.
      vault.parts.peerWitnesses === null ? 'infrastructure/start' : 'infrastructure/peers-restart',
      ...ofAllNodes(vault, 'narrow'),
      ...ofAllNodes(vault, 'final-configuration'),
    ],
  };
}

interface Restart {
  readonly name: 'peers-restart' | 'restart';
  readonly configuration: 'peers-configuration' | 'final-configuration';
}

interface RestartActs extends Pick<Step, 'role' | 'stage' | 'inspect'> {
  apply(context: StepContext): Promise<{ readonly facts: Facts<'restart'>; readonly files: [] }>;
}

/** What a step does that starts the nodes anew, one after the other, with configurations that their admins have signed. */
function restartWith({ name, configuration }: Restart): RestartActs {
  return {
    role: 'infrastructure',
    stage: 2,
    async inspect(context) {
      const open = await openNodes(context, { name, configuration });
      if (open.length === 0) return { state: 'done' };
      return {
        state: 'ready',
        changes: [
          ...(name === 'restart' ? await describeFollowedLogs(context) : []),
          ...open.map(({ node, version }) => `restarts node ${node} with configuration ${version}`),
        ],
      };
    },
    async apply(context) {
      await assertOneRelease(context);
      const stated = await context.exchange.statement('infrastructure', name);
      const peersRestarted = await context.exchange.statement('infrastructure', 'peers-restart');
      const { facts: started } = await needStatement(context, 'infrastructure', 'start');
      // One after the other: the rest of the quorum goes on signing, and cosigns the start of each.
      const open = await openNodes(context, { name, configuration });
      const nodes = [...(stated?.facts.nodes ?? [])].filter(
        ({ node }) => !open.some((one) => one.node === node),
      );
      for (const { node, version } of open) {
        const former = [...nodes, ...(peersRestarted?.facts.nodes ?? []), ...started.nodes].find(
          (one) => one.node === node,
        );
        const order = { node, configuration, nonce: null, identity: former?.identity ?? null };
        nodes.push({ node, url: await urlOf(context, node), identity: await serve(order, context), version });
      }
      return { facts: { nodes: nodes.toSorted((one, other) => one.node - other.node) }, files: [] };
    },
  };
}

/**
 * Describes what the operators of outside witnesses have to be told before nodes need their cosignatures: a start waits for
 * them. The lines are those of the file that "holdfast audit witness" follows logs by.
 */
async function describeFollowedLogs(context: StepContext): Promise<readonly string[]> {
  const { witnesses } = context.vault.parts;
  if (witnesses === null) return [];
  const stated = await needStatementsOfNodes(context, 'narrow');
  const logs = stated.map(({ statement }) => statement.facts.log);
  return [
    `before that, the operators of ${witnesses.threshold} of ${witnesses.servers.length} outside witnesses have to follow these logs (logs.yaml):`,
    '  logs:',
    ...logs.flatMap((key) => [`    - origin: ${verifierKeyName(key)}`, `      keys: ['${key}']`]),
  ];
}

/** Deploys a node that has to serve. @throws StepError VAULT_NODE_UNEXPECTED */
async function serve(order: DeployOrder, context: StepContext): Promise<StoreIdentity> {
  const { phase, code, identity } = await deployNode(order, context);
  if (phase === 'serving' && identity !== null) return identity;
  throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves', {
    node: order.node,
    phase,
    code,
  });
}

async function urlOf(context: StepContext, node: number): Promise<string> {
  const { facts } = await needStatement(context, 'infrastructure', 'hosts');
  const host = facts.hosts.find((one) => one.node === node);
  if (host === undefined) throw new TypeError('expected the host of each node');
  return nodeUrl(host.address);
}

/** Nodes that have not run the configuration that their admin has stated last for a restart, nor a later one. */
async function openNodes(context: StepContext, { name, configuration }: Restart) {
  const stated = await needStatementsOfNodes(context, configuration);
  const done = [
    await context.exchange.statement('infrastructure', name),
    await context.exchange.statement('infrastructure', 'restart'),
  ].flatMap((one) => one?.facts.nodes ?? []);
  return stated
    .map(({ node, statement }) => ({ node, version: statement.facts.version }))
    .filter(
      ({ node, version }) =>
        !done.some(
          (one) =>
            one.node === node && (name === 'restart' ? one.version === version : one.version >= version),
        ),
    );
}
