import type { Statement } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { deployNode, onAllHosts } from './deploy-node.ts';
import { assertOneRelease } from './node-release.ts';
import { describeShown, documentFile, type ShownDocument, takeShown, tellShown } from './shown-document.ts';
import type { Step } from './step.ts';
import { needStatementsOfNodes, ofAllNodes } from './support.ts';

/** Step that deploys each node, which KMS has to refuse, and brings its attestation document for the admin's nonce. */
export function infrastructureAttestations(vault: StepContext['vault']): Step<'attestations'> {
  return {
    id: 'infrastructure/attestations',
    role: 'infrastructure',
    name: 'attestations',
    stage: 2,
    summary: 'deploy the nodes, which KMS refuses yet, and bring their attestation documents',
    needs: ['infrastructure/hosts', ...ofAllNodes(vault, 'configuration'), ...ofAllNodes(vault, 'nonce')],
    async inspect(context) {
      // Once all nodes have started, no other nonce of an admin has a node stopped again.
      if ((await context.exchange.statement('infrastructure', 'start')) !== undefined)
        return { state: 'done' };
      const { open } = await sortNodes(context);
      if (open.length === 0) return { state: 'done' };
      await assertOneRelease(context);
      return {
        state: 'ready',
        changes: open.map(
          ({ node }) => `deploys node ${node}, and has its enclave attest for the nonce of its admin`,
        ),
      };
    },
    async apply(context) {
      await assertOneRelease(context);
      const { open, kept } = await sortNodes(context);
      const shown = [...kept, ...(await onAllHosts(open, (one) => show(one, context)))];
      const { documents, files } = tellShown(shown);
      return { facts: { documents }, files };
    },
  };
}

/** Deploys a node that KMS has to refuse, and takes the document that its enclave has made for the nonce. */
async function show(
  asked: { readonly node: number; readonly nonce: string },
  context: StepContext,
): Promise<ShownDocument> {
  const order = { ...asked, configuration: 'configuration', identity: null } as const;
  return takeShown(asked, await deployNode(order, context));
}

/** Reads the document of a node, for the nonce in force; undefined where there is none. */
export async function readDocument(
  context: StepContext,
  stated: Statement<'attestations'>,
  node: number,
  nonce: string,
): Promise<Uint8Array | undefined> {
  const isThere = stated.facts.documents.some((one) => one.node === node && one.nonce === nonce);
  return isThere ? await context.exchange.file(stated, documentFile(node)) : undefined;
}

/** Sorts nodes into those whose document is there, or no longer needed, and those that have to attest. */
async function sortNodes(context: StepContext): Promise<{
  readonly open: readonly { readonly node: number; readonly nonce: string }[];
  readonly kept: readonly ShownDocument[];
}> {
  const stated = await context.exchange.statement('infrastructure', 'attestations');
  const open: { node: number; nonce: string }[] = [];
  const kept: ShownDocument[] = [];
  for (const { node, statement } of await needStatementsOfNodes(context, 'nonce')) {
    const gate = await context.exchange.statement(roleOfNode(node), 'gate');
    const nonce = gate?.facts.nonce ?? statement.facts.nonce;
    const document = stated && (await readDocument(context, stated, node, nonce));
    if (document === undefined) open.push({ node, nonce });
    else kept.push(describeShown(node, nonce, document));
  }
  return { open, kept };
}
