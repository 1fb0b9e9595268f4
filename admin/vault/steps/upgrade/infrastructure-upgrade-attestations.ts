import {
  assertQuorumSigns,
  assertQuorumWithout,
  assertSpareNode,
  assertWithinOverlap,
  orderUnableFirst,
} from '../../../upgrade/index.ts';
import { roleOfNode } from '../../index.ts';
import { describeLeft, findObstacle, type LeftNode, nodesLeft, seeNode } from '../configuration/in-force.ts';
import { needNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import { StepError } from '../errors.ts';
import { describeShown, type ShownDocument, takeShown, tellShown } from '../shown-document.ts';
import type { Step } from '../step.ts';
import { ofAllNodes } from '../support.ts';
import { readUpgradeDocument } from './node-upgrade-gate.ts';
import { lookAtNodes, needClient, readIdentity, signWith } from './nodes.ts';
import {
  assertOneUpgrade,
  factsOf,
  findUpgradeStatement,
  needUpgradeStatement,
  readUntil,
  type Upgrade,
  withRelease,
} from './upgrade.ts';

/**
 * Step that starts the new image on one host after the other, which KMS has to refuse, brings its attestation document, and
 * has the old image serve again, with the configuration that accepts both. The others sign meanwhile.
 */
export function infrastructureUpgradeAttestations(
  vault: StepContext['vault'],
  upgrade: Upgrade,
): Step<'upgrade-attestations'> {
  return {
    id: 'infrastructure/upgrade-attestations',
    role: 'infrastructure',
    name: 'upgrade-attestations',
    stage: 2,
    summary: 'have the new image attest on one host after the other, and the old one serve again',
    needs: ['infrastructure/restart', ...ofAllNodes(vault, 'upgrade-configuration')],
    async inspect(context) {
      if (await isGateOpenEverywhere(context, upgrade)) return { state: 'done' };
      await assertOneUpgrade(context, upgrade);
      const { open } = await sortNodes(context, upgrade);
      if (open.length === 0) return { state: 'done' };
      assertSpareNode({ size: vault.nodes.length, threshold: vault.threshold });
      needClient(upgrade);
      const { free, left } = await partLeft(context, upgrade, open);
      const [first] = left;
      if (free.length === 0 && first !== undefined) throw first.error;
      return {
        state: 'ready',
        changes: [
          ...free.map(
            ({ node }) =>
              `stops node ${node}, has the new image attest for the nonce of its admin, and starts the old one again`,
          ),
          ...left.map(describeLeft),
        ],
      };
    },
    async apply(context) {
      await assertOneUpgrade(context, upgrade);
      assertSpareNode({ size: vault.nodes.length, threshold: vault.threshold });
      const { open, kept } = await sortNodes(context, upgrade);
      const shown = [...kept];
      const { free, left } = await partLeft(context, upgrade, open);
      if (free.length > 0) {
        const reports = await lookAtNodes(context, upgrade);
        await assertQuorumSigns(reports, async (node) => await signWith(context, upgrade, node));
        // A node that is down serves again after it has attested, and only then can the others be stopped.
        const order = orderUnableFirst(
          free.map(({ node }) => node),
          reports,
        );
        for (const { node, nonce } of free.toSorted((a, b) => order.indexOf(a.node) - order.indexOf(b.node)))
          shown.push(await showOne(context, upgrade, node, nonce));
      }
      const [first] = left;
      if (shown.length === 0 && first !== undefined) throw first.error;
      const { documents, files } = tellShown(shown);
      const refusal = left.length === 0 ? undefined : nodesLeft(left);
      return { facts: { upgrade: factsOf(upgrade), documents }, files, refusal };
    },
  };
}

/** Whether each node's admin has let the new image in: by then no document is needed, whatever nonce somebody makes. */
async function isGateOpenEverywhere(context: StepContext, upgrade: Upgrade): Promise<boolean> {
  for (const { node } of context.vault.nodes)
    if ((await findUpgradeStatement(context, upgrade, roleOfNode(node), 'upgrade-gate')) === undefined)
      return false;
  return true;
}

async function showOne(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
  nonce: string,
): Promise<ShownDocument> {
  const identity = await readIdentity(context, node);
  // A configuration that was signed since the one of the upgrade has its images too.
  const { step: configuration } = await needNewest(context, node);
  const order = { node, configuration, identity } as const;
  // What a run has shown that was cut off before the others could know is kept, and nothing is stopped for it again.
  let shown = recall(context, node, nonce);
  let failure: unknown;
  if (shown === undefined) {
    assertWithinOverlap(await readUntil(context, upgrade, node), context.clock(), 'new');
    assertQuorumWithout(await lookAtNodes(context, upgrade), node, context.vault.threshold);
    upgrade.report({ event: 'node-begun', node, image: 'new' });
    try {
      const deployed = await deployNode({ ...order, nonce }, withRelease(context, upgrade, 'new'));
      shown = takeShown({ node, nonce }, deployed);
      await remember(context, shown);
    } catch (error) {
      failure = error;
    }
  }
  // Whatever has come of it, the old image serves again before anything else is said.
  const back = await deployNode({ ...order, nonce: null }, withRelease(context, upgrade, 'old'));
  if (shown === undefined) throw failure;
  const refusal = back.phase === 'serving' ? await signWith(context, upgrade, node) : back.code;
  if (refusal !== null) {
    throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves and signs with its old image', {
      node,
      phase: back.phase,
      code: refusal,
    });
  }
  upgrade.report({ event: 'node-done', node, image: 'old' });
  return shown;
}

const shownName = (node: number) => `upgrade-shown-${node}`;

/** Keeps a document on the disk of this machine until the others can know it. */
async function remember({ journal }: StepContext, { node, nonce, document }: ShownDocument): Promise<void> {
  await journal.set(shownName(node), { nonce, document: Buffer.from(document).toString('base64') });
}

function recall({ journal }: StepContext, node: number, nonce: string): ShownDocument | undefined {
  const known = journal.get(shownName(node)) as { nonce: string; document: string } | undefined;
  if (known?.nonce !== nonce) return undefined;
  return describeShown(node, nonce, new Uint8Array(Buffer.from(known.document, 'base64')));
}

/** Node that has to attest for a nonce of its admin. */
interface OpenNode {
  readonly node: number;
  readonly nonce: string;
}

/** Parts nodes into those that can be stopped now, and those whose admins have to do something first. */
async function partLeft(context: StepContext, upgrade: Upgrade, open: readonly OpenNode[]) {
  const free: OpenNode[] = [];
  const left: LeftNode[] = [];
  for (const one of open) {
    const { node } = one;
    const error = await findObstacle(context, await seeNode(context, node, [upgrade.from, upgrade.to]));
    if (error === null) free.push(one);
    else left.push({ node, error });
  }
  return { free, left };
}

/** Sorts nodes into those whose document for the nonce in force is there, and those that have to attest. */
async function sortNodes(context: StepContext, upgrade: Upgrade) {
  const open: OpenNode[] = [];
  const kept: ShownDocument[] = [];
  for (const { node } of context.vault.nodes) {
    const role = roleOfNode(node);
    const { facts } = await needUpgradeStatement(context, upgrade, role, 'upgrade-configuration');
    const document = await readUpgradeDocument(context, upgrade, node, facts.nonce);
    if (document === undefined) open.push({ node, nonce: facts.nonce });
    else kept.push(describeShown(node, facts.nonce, document));
  }
  return { open, kept };
}
