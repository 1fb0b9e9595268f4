import { assertQuorumWithout, assertSigns } from '../../../upgrade/index.ts';
import type { Facts } from '../../exchange/index.ts';
import { needNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import { StepError } from '../errors.ts';
import type { Step } from '../step.ts';
import { ofAllNodes } from '../support.ts';
import { lookAtNodes, needClient, readIdentity, signWith, urlOfNode } from './nodes.ts';
import { factsOf, findUpgradeStatement, type Upgrade, withRelease } from './upgrade.ts';

/** Step that gives each node the configuration in which the old image has no day any more, one node after the other. */
export function infrastructureUpgradeRestore(
  vault: StepContext['vault'],
  upgrade: Upgrade,
): Step<'upgrade-restore'> {
  const find = async (context: StepContext) =>
    await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-restore');
  return {
    id: 'infrastructure/upgrade-restore',
    role: 'infrastructure',
    name: 'upgrade-restore',
    stage: 2,
    summary: 'restart the nodes with configurations that accept the old image alone',
    needs: ['infrastructure/upgrade-nodes', ...ofAllNodes(vault, 'upgrade-rollback')],
    async inspect(context) {
      if ((await find(context)) !== undefined) return { state: 'done' };
      needClient(upgrade);
      return {
        state: 'ready',
        changes: vault.nodes.map(
          ({ node }) => `restarts node ${node} with the configuration that accepts the old image alone`,
        ),
      };
    },
    async apply(context) {
      const stated = await find(context);
      if (stated !== undefined) return { facts: stated.facts, files: [] };
      const nodes: Facts<'upgrade-restore'>['nodes'] = [];
      for (const { node } of vault.nodes) {
        upgrade.report({ event: 'node-begun', node, image: 'old' });
        nodes.push({
          node,
          url: await urlOfNode(context, node),
          identity: await restore(context, upgrade, node),
        });
        upgrade.report({ event: 'node-done', node, image: 'old' });
      }
      // After the day none signs before all have their configurations.
      for (const { node } of vault.nodes)
        await assertSigns(node, 'old', async () => await signWith(context, upgrade, node));
      return { facts: { upgrade: factsOf(upgrade), nodes }, files: [] };
    },
  };
}

/** Restarts one node with its configuration of the roll back; one that runs with it already is left alone by its host. */
async function restore(context: StepContext, upgrade: Upgrade, node: number) {
  const reports = await lookAtNodes(context, upgrade);
  // To restart a node that cannot sign takes nothing away.
  if (reports.some((report) => report.node === node && report.canSign))
    assertQuorumWithout(reports, node, context.vault.threshold);
  const identity = await readIdentity(context, node);
  const { step: configuration } = await needNewest(context, node);
  const order = { node, configuration, nonce: null, identity } as const;
  const { phase, code, ...deployed } = await deployNode(order, withRelease(context, upgrade, 'old'));
  const refusal = phase === 'serving' ? null : (code ?? phase);
  if (refusal !== null)
    throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves with its old image', {
      node,
      phase,
      code: refusal,
    });
  return deployed.identity ?? identity;
}
