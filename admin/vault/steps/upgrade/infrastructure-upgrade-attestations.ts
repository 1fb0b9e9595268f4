import { assertQuorumWithout, assertSpareNode, assertWithinOverlap } from '../../../upgrade/index.ts';
import { roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { deployNode } from '../deploy-node.ts';
import { StepError } from '../errors.ts';
import { describeShown, type ShownDocument, takeShown, tellShown } from '../shown-document.ts';
import type { Step } from '../step.ts';
import { ofAllNodes } from '../support.ts';
import { readUpgradeDocument } from './node-upgrade-gate.ts';
import { lookAtNodes, readIdentity, signWith } from './nodes.ts';
import { assertOneUpgrade, needUpgradeStatement, readUntil, type Upgrade, withRelease } from './upgrade.ts';

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
      await assertOneUpgrade(context, upgrade);
      const { open } = await sortNodes(context, upgrade);
      if (open.length === 0) return { state: 'done' };
      assertSpareNode({ size: vault.nodes.length, threshold: vault.threshold });
      return {
        state: 'ready',
        changes: open.map(
          ({ node }) =>
            `stops node ${node}, has the new image attest for the nonce of its admin, and starts the old one again`,
        ),
      };
    },
    async apply(context) {
      await assertOneUpgrade(context, upgrade);
      assertSpareNode({ size: vault.nodes.length, threshold: vault.threshold });
      const { open, kept } = await sortNodes(context, upgrade);
      const shown = [...kept];
      for (const { node, nonce } of open) shown.push(await showOne(context, upgrade, node, nonce));
      const { documents, files } = tellShown(shown);
      return { facts: { upgrade: { from: upgrade.from, to: upgrade.to }, documents }, files };
    },
  };
}

async function showOne(
  context: StepContext,
  upgrade: Upgrade,
  node: number,
  nonce: string,
): Promise<ShownDocument> {
  assertWithinOverlap(await readUntil(context, upgrade, node), context.clock(), 'new');
  assertQuorumWithout(await lookAtNodes(context, upgrade), node, context.vault.threshold);
  const identity = await readIdentity(context, node);
  const order = { node, configuration: 'upgrade-configuration', identity } as const;
  const attested = await deployNode({ ...order, nonce }, withRelease(context, upgrade, 'new')).then(
    (result) => ({ result, error: undefined }),
    (error: unknown) => ({ result: undefined, error }),
  );
  // Whatever has come of it, the old image serves again before anything else is said.
  const back = await deployNode({ ...order, nonce: null }, withRelease(context, upgrade, 'old'));
  if (attested.result === undefined) throw attested.error;
  const refusal = back.phase === 'serving' ? await signWith(context, upgrade, node) : back.code;
  if (refusal !== null) {
    throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that serves and signs with its old image', {
      node,
      phase: back.phase,
      code: refusal,
    });
  }
  return takeShown({ node, nonce }, attested.result);
}

/** Sorts nodes into those whose document for the nonce in force is there, and those that have to attest. */
async function sortNodes(context: StepContext, upgrade: Upgrade) {
  const open: { readonly node: number; readonly nonce: string }[] = [];
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
