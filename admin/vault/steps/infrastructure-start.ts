import type { StepContext } from './context.ts';
import { deployNode, type DeployOrder, onAllHosts } from './deploy-node.ts';
import type { StoreIdentity } from './deployment.ts';
import { StepError } from './errors.ts';
import { assertOneRelease } from './node-release.ts';
import type { Step } from './step.ts';
import { needStatement, needStatementsOfNodes, ofAllNodes, urlOfNode } from './support.ts';

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
      if ((await context.exchange.statement('infrastructure', 'start')) !== undefined)
        return { state: 'done' };
      await assertOneRelease(context);
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
        return { node, url: await urlOfNode(context, node), identity: await serve(order, context) };
      });
      return { facts: { nodes: [...nodes] }, files: [] };
    },
  };
}

/** Step that starts the nodes with configurations by which they know the logs of each other, one after the other. */
export function infrastructurePeersRestart(vault: StepContext['vault']): Step<'peers-restart'> {
  return {
    id: 'infrastructure/peers-restart',
    role: 'infrastructure',
    name: 'peers-restart',
    stage: 2,
    summary: 'restart the nodes with the configurations by which they know the logs of each other',
    needs: [
      'infrastructure/start',
      ...ofAllNodes(vault, 'narrow'),
      ...ofAllNodes(vault, 'peers-configuration'),
    ],
    async inspect(context) {
      const open = await openNodes(context);
      if (open.length === 0) return { state: 'done' };
      return {
        state: 'ready',
        changes: open.map(({ node, version }) => `restarts node ${node} with configuration ${version}`),
      };
    },
    async apply(context) {
      await assertOneRelease(context);
      const stated = await context.exchange.statement('infrastructure', 'peers-restart');
      const { facts: started } = await needStatement(context, 'infrastructure', 'start');
      // One after the other: the rest of the quorum goes on signing, and cosigns the start of each.
      const open = await openNodes(context);
      const nodes = [...(stated?.facts.nodes ?? [])].filter(
        ({ node }) => !open.some((one) => one.node === node),
      );
      for (const { node, version } of open) {
        const former = [...nodes, ...started.nodes].find((one) => one.node === node);
        const identity = former?.identity ?? null;
        const order = { node, configuration: 'peers-configuration', nonce: null, identity } as const;
        nodes.push({
          node,
          url: await urlOfNode(context, node),
          identity: await serve(order, context),
          version,
        });
      }
      return { facts: { nodes: nodes.toSorted((one, other) => one.node - other.node) }, files: [] };
    },
  };
}

/** Deploys a node that has to serve. @throws StepError VAULT_NODE_UNEXPECTED */
export async function serve(order: DeployOrder, context: StepContext): Promise<StoreIdentity> {
  const { phase, code, identity } = await deployNode(order, context);
  if (phase === 'serving' && identity !== null) return identity;
  throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves', {
    node: order.node,
    phase,
    code,
  });
}

/** Nodes that have not run the configuration that their admin has stated last for this restart, nor a later one. */
async function openNodes(context: StepContext) {
  const stated = await needStatementsOfNodes(context, 'peers-configuration');
  const done = [
    await context.exchange.statement('infrastructure', 'peers-restart'),
    await context.exchange.statement('infrastructure', 'restart'),
  ].flatMap((one) => one?.facts.nodes ?? []);
  return stated
    .map(({ node, statement }) => ({ node, version: statement.facts.version }))
    .filter(({ node, version }) => !done.some((one) => one.node === node && one.version >= version));
}
