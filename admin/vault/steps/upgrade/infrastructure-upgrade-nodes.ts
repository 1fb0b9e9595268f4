import {
  assertNotStopped,
  type ImageName,
  isDown,
  orderNodes,
  rollBack,
  rollOut,
  type RollOutPlan,
  type UpgradeJournal,
  type UpgradePorts,
  type UpgradeStop,
} from '../../../upgrade/index.ts';
import type { Facts, Told } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import { findObstacle, nodesLeft, seeNode } from '../configuration/in-force.ts';
import { needNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import type { StoreIdentity } from '../deployment.ts';
import type { Step } from '../step.ts';
import { ofAllNodes, urlOfNode } from '../support.ts';
import { attestAll, lookAtNodes, needClient, readIdentity, signWith } from './nodes.ts';
import { assertNoneNarrowed, isSameUpgrade, type UpgradeName } from './state.ts';
import { assertOneUpgrade, factsOf, findUpgradeStatement, type Upgrade, withRelease } from './upgrade.ts';

/** Step that brings the new image to one node after the other, the canary first, and stops at the first refusal. */
export function infrastructureUpgradeNodes(
  vault: StepContext['vault'],
  upgrade: Upgrade,
): Step<'upgrade-nodes'> {
  return {
    id: 'infrastructure/upgrade-nodes',
    role: 'infrastructure',
    name: 'upgrade-nodes',
    stage: 2,
    summary: 'bring the new image to one node after the other, as long as the quorum signs with each',
    // What the new image attests is behind an open gate, whatever an admin says anew of that.
    needs: ofAllNodes(vault, 'upgrade-gate'),
    async inspect(context) {
      const stated = await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-nodes');
      if (stated?.facts.image === 'new' && !isGoingBack(context, upgrade)) return { state: 'done' };
      needClient(upgrade);
      assertNotStopped(openUpgradeJournal(context));
      const { order } = await planOf(context, upgrade);
      return {
        state: 'ready',
        changes: order.map(
          (node, index) => `brings the new image to node ${node}${index === 0 ? ', the canary' : ''}`,
        ),
      };
    },
    apply: async (context) => await moveNodes(context, upgrade, 'new'),
  };
}

/** Step that puts the old image back on every node that does not run it, within the overlap, and clears a stop. */
export function infrastructureUpgradeNodesBack(upgrade: Upgrade): Step<'upgrade-nodes'> {
  return {
    id: 'infrastructure/upgrade-nodes',
    role: 'infrastructure',
    name: 'upgrade-nodes',
    stage: 2,
    summary: 'put the old image back on every node, those that cannot sign first',
    needs: [],
    async inspect(context) {
      const stated = await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-nodes');
      if (stated?.facts.image === 'old' && !(await hasComeBack(context, upgrade))) return { state: 'done' };
      needClient(upgrade);
      const stop = openUpgradeJournal(context).stopped();
      return {
        state: 'ready',
        changes: [
          `puts the image of release ${upgrade.from} back on every node that does not run it`,
          ...(stop === null
            ? []
            : [`forgets that the upgrade has stopped at node ${stop.node}: ${stop.code}`]),
        ],
      };
    },
    apply: async (context) => await moveNodes(context, upgrade, 'old'),
  };
}

/**
 * Brings one of both images to all nodes, one after the other, but for one that stays down on the way back. From the first deployment of the old image on, the machine
 * remembers that nodes may run it, whatever was told before, until all of them run the new one.
 *
 * @throws UpgradeError UPGRADE_…; StepError VAULT_UPGRADE_NARROWED; VAULT_NODES_LEFT where all others went on
 */
export async function moveNodes(
  context: StepContext,
  upgrade: Upgrade,
  image: ImageName,
): Promise<Told<'upgrade-nodes'>> {
  const identities = new Map<number, StoreIdentity>();
  const ports: UpgradePorts = {
    look: async () => await lookAtNodes(context, upgrade),
    async deploy(node, wanted) {
      if (image === 'old') await noteGoingBack(context, upgrade);
      const identity = await readIdentity(context, node);
      const { step: configuration } = await needNewest(context, node);
      const order = { node, configuration, nonce: null, identity } as const;
      const deployed = await deployNode(order, withRelease(context, upgrade, wanted));
      if (deployed.identity !== null) identities.set(node, deployed.identity);
      return deployed.phase === 'serving' ? null : (deployed.code ?? 'VAULT_NODE_UNEXPECTED');
    },
    sign: async (node) => await signWith(context, upgrade, node),
    async assertOpen(wanted) {
      if (wanted === 'old') await assertNoneNarrowed(context.vault, context.exchange, upgrade);
    },
    findObstacle: async (node, wanted) => {
      const seen = await seeNode(context, node, [upgrade.from, upgrade.to]);
      // What an admin vouches for keeps their own node from the new image, and none from the old one.
      return await findObstacle(context, seen, async () => {
        if (wanted === 'new') await assertOneUpgrade(context, upgrade, [node]);
      });
    },
    clock: context.clock,
  };
  const move = image === 'new' ? rollOut : rollBack;
  const left = await move(await planOf(context, upgrade), ports, openUpgradeJournal(context), upgrade.report);
  if (left.size > 0) throw nodesLeft([...left].map(([node, error]) => ({ node, error })));
  if (image === 'new') await context.journal.set(GOING_BACK, undefined);
  const reports = image === 'new' ? [] : await lookAtNodes(context, upgrade);
  const nodes: Facts<'upgrade-nodes'>['nodes'] = [];
  for (const { node } of context.vault.nodes) {
    // Whoever reads this sees which node was left.
    if (image === 'old' && isDown(reports, node)) continue;
    const identity = identities.get(node) ?? (await readIdentity(context, node));
    nodes.push({ node, url: await urlOfNode(context, node), identity });
  }
  return { facts: { upgrade: factsOf(upgrade), image, nodes }, files: [] };
}

async function planOf(context: StepContext, upgrade: Upgrade): Promise<RollOutPlan> {
  const { nodes, threshold } = context.vault;
  const days = new Map<number, number>();
  const gated = new Set<number>();
  for (const { node } of nodes) {
    const stated = await findUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-configuration');
    if (stated !== undefined) days.set(node, Date.parse(stated.facts.until));
    const gate = await findUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-gate');
    if (gate !== undefined) gated.add(node);
  }
  return {
    threshold,
    order: orderNodes(
      nodes.map(({ node }) => node),
      upgrade.canary,
    ),
    // A roll back may come before everybody has named a day.
    until: (node) => days.get(node) ?? Infinity,
    isGated: (node) => gated.has(node),
  };
}

/**
 * Whether a node attests the new image again before the roll back is over: one that was left, and whose host has booted with
 * what it was told last, which its key may admit still.
 */
async function hasComeBack(context: StepContext, upgrade: Upgrade): Promise<boolean> {
  const restored = await findUpgradeStatement(context, upgrade, 'infrastructure', 'upgrade-restore');
  if (restored !== undefined) return false;
  return (await attestAll(context, upgrade, 'old')).some(({ image }) => image === 'new');
}

const GOING_BACK = 'upgrade-going-back';

/** Notes on the disk of this machine that nodes are being put back to the old image. */
async function noteGoingBack({ journal }: Pick<StepContext, 'journal'>, upgrade: UpgradeName): Promise<void> {
  await journal.set(GOING_BACK, factsOf(upgrade));
}

/** Whether a roll back of this upgrade has touched a node, and no roll-out has come to its end since. */
function isGoingBack({ journal }: Pick<StepContext, 'journal'>, upgrade: UpgradeName): boolean {
  return isSameUpgrade(journal.get(GOING_BACK) as UpgradeName | undefined, upgrade);
}

const STOP = 'upgrade-stop';

/** Opens the memory of where a roll-out has stopped, which the machine of infrastructure's admin keeps. */
export function openUpgradeJournal({
  journal,
}: Pick<StepContext, 'journal'>): UpgradeJournal & { readonly isStop: (name: string) => boolean } {
  return {
    isStop: (name) => name === STOP,
    stopped: () => (journal.get(STOP) ?? null) as UpgradeStop | null,
    setStopped: async (stop) => {
      await journal.set(STOP, stop ?? undefined);
    },
  };
}
