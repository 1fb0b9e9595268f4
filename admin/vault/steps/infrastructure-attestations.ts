import { digestOf, type Facts, type Statement } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { deployNode } from './deploy-node.ts';
import { StepError } from './errors.ts';
import { assertOneRelease } from './node-release.ts';
import type { Step } from './step.ts';
import { needStatementsOfNodes, ofAllNodes } from './support.ts';

/** Code of an enclave that KMS does not admit yet, as it has to be before the gate. */
const NOT_ADMITTED = 'KMS_ACCESS_DENIED';

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
      await assertOneRelease(context);
      const { open } = await sortNodes(context);
      if (open.length === 0) return { state: 'done' };
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
      const shown = [...kept];
      for (const { node, nonce } of open) {
        const found = await deployNode(
          { node, configuration: 'configuration', nonce, identity: null },
          context,
        );
        const { document } = found;
        if (document === null || found.code !== NOT_ADMITTED) {
          throw new StepError(
            'VAULT_NODE_UNEXPECTED',
            'expected an enclave that has attested, and that KMS refuses',
            {
              node,
              phase: found.phase,
              code: found.code,
            },
          );
        }
        shown.push({ node, nonce, sha384: digestOf(document), document });
      }
      const ordered = shown.toSorted((one, other) => one.node - other.node);
      return {
        facts: { documents: ordered.map(({ node, nonce, sha384 }) => ({ node, nonce, sha384 })) },
        files: ordered.map(({ node, document }) => ({ name: fileOf(node), bytes: document })),
      };
    },
  };
}

const fileOf = (node: number) => `attestation-${node}.cbor`;

/** Reads the document of a node, for the nonce in force; undefined where there is none. */
export async function readDocument(
  context: StepContext,
  stated: Statement<'attestations'>,
  node: number,
  nonce: string,
): Promise<Uint8Array | undefined> {
  const isThere = stated.facts.documents.some((one) => one.node === node && one.nonce === nonce);
  return isThere ? await context.exchange.file(stated, fileOf(node)) : undefined;
}

type Shown = Facts<'attestations'>['documents'][number] & { readonly document: Uint8Array };

/** Sorts nodes into those whose document is there, or no longer needed, and those that have to attest. */
async function sortNodes(context: StepContext): Promise<{
  readonly open: readonly { readonly node: number; readonly nonce: string }[];
  readonly kept: readonly Shown[];
}> {
  const stated = await context.exchange.statement('infrastructure', 'attestations');
  const open: { node: number; nonce: string }[] = [];
  const kept: Shown[] = [];
  for (const { node, statement } of await needStatementsOfNodes(context, 'nonce')) {
    const gate = await context.exchange.statement(roleOfNode(node), 'gate');
    const nonce = gate?.facts.nonce ?? statement.facts.nonce;
    const document = stated && (await readDocument(context, stated, node, nonce));
    if (document === undefined) open.push({ node, nonce });
    else kept.push({ node, nonce, sha384: digestOf(document), document });
  }
  return { open, kept };
}
