import { errorCode } from '../../../../shared/errors.ts';
import {
  assertBack,
  assertQuorumWithout,
  assertSigns,
  isDown,
  isInterruption,
  type NodeReport,
  orderUnableFirst,
} from '../../../upgrade/index.ts';
import type { Facts } from '../../exchange/index.ts';
import { needNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import { StepError } from '../errors.ts';
import { roleOfNode } from '../../index.ts';
import type { Awaited, Step } from '../step.ts';
import { ofAllNodes, urlOfNode } from '../support.ts';
import { lookAtNodes, needClient, readIdentity, signWith } from './nodes.ts';
import { findUpgradeState, isSameUpgrade } from './state.ts';
import { factsOf, findUpgradeStatement, type Upgrade, withRelease } from './upgrade.ts';

/**
 * Step that gives each node the configuration in which the old image has no day any more, one node after the other. A node that
 * stays down is left, and a later run takes it along: its key admits the old image alone by then. So is one whose admin has not
 * rolled back yet: the others would refuse each other from the day on.
 */
export function infrastructureUpgradeRestore(
  vault: StepContext['vault'],
  upgrade: Upgrade,
): Step<'upgrade-restore'> {
  const find = async (context: StepContext) => {
    const stated = await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-restore');
    const known = stated?.facts.nodes ?? [];
    const { closed } = await findUpgradeState(vault, context.exchange);
    const isClosed = closed !== undefined && isSameUpgrade(closed.upgrade, upgrade);
    const open: number[] = [];
    const waitsFor: Awaited[] = [];
    for (const { node } of vault.nodes) {
      const isOpen = isClosed ? closed.left.includes(node) : !known.some((one) => one.node === node);
      if (!isOpen) continue;
      const role = roleOfNode(node);
      const rolledBack = await findUpgradeStatement(context, upgrade, role, 'upgrade-rollback');
      if (rolledBack === undefined) waitsFor.push({ role, step: `${role}/upgrade-rollback` });
      else open.push(node);
    }
    return { stated, known, open, waitsFor };
  };
  return {
    id: 'infrastructure/upgrade-restore',
    role: 'infrastructure',
    name: 'upgrade-restore',
    stage: 2,
    summary: 'restart the nodes with configurations that accept the old image alone',
    needs: ['infrastructure/upgrade-nodes'],
    needsSome: { of: ofAllNodes(vault, 'upgrade-rollback'), count: vault.threshold },
    async inspect(context) {
      const { stated, open, waitsFor } = await find(context);
      if (open.length === 0)
        return waitsFor.length === 0 ? { state: 'done' } : { state: 'waiting', waitsFor };
      needClient(upgrade);
      const which = stated === undefined ? '' : ', which was left';
      return {
        state: 'ready',
        changes: open.map(
          (node) => `restarts node ${node}${which}, with the configuration that accepts the old image alone`,
        ),
      };
    },
    async apply(context) {
      const { known, open } = await find(context);
      const { restored, failures } = await restoreAll(context, upgrade, open);
      const nodes = [...known, ...restored].toSorted((one, other) => one.node - other.node);
      // Without those that were left, the others have to be enough, and a run that brings none of them back has failed.
      const isEnough = nodes.length >= vault.threshold && (restored.length > 0 || open.length === 0);
      if (!isEnough) throw failures[0];
      assertBack(await lookAtNodes(context, upgrade), vault.threshold);
      // After the day none signs before the others have their configurations.
      for (const { node } of restored)
        await assertSigns(node, 'old', async () => await signWith(context, upgrade, node));
      return { facts: { upgrade: factsOf(upgrade), nodes }, files: [] };
    },
  };
}

/** Restarts nodes, those that cannot sign first, and goes on past one that was down and stays so. */
async function restoreAll(context: StepContext, upgrade: Upgrade, open: readonly number[]) {
  const restored: Facts<'upgrade-restore'>['nodes'] = [];
  const failures: unknown[] = [];
  for (const node of orderUnableFirst(open, await lookAtNodes(context, upgrade))) {
    const reports = await lookAtNodes(context, upgrade);
    upgrade.report({ event: 'node-begun', node, image: 'old' });
    try {
      const identity = await restore(context, upgrade, { node, reports });
      restored.push({ node, url: await urlOfNode(context, node), identity });
      upgrade.report({ event: 'node-done', node, image: 'old' });
    } catch (error) {
      if (isInterruption(error) || !isDown(reports, node)) throw error;
      failures.push(error);
      upgrade.report({ event: 'node-left', node, image: 'old', code: errorCode(error) });
    }
  }
  return { restored, failures };
}

/** Restarts one node with its configuration of the roll back; one that runs with it already is left alone by its host. */
async function restore(
  context: StepContext,
  upgrade: Upgrade,
  { node, reports }: { readonly node: number; readonly reports: readonly NodeReport[] },
) {
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
