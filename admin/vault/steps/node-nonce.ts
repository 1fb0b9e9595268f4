import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import type { Step } from './step.ts';
import { toHex } from './support.ts';

const NONCE_BYTES = 32;
/** Age in milliseconds from which a document has to be made anew: the certificate in it lives for three hours. */
const MAX_DOCUMENT_AGE_MS = 2.5 * 3_600_000;

/** Step that makes the nonce by which the admin will know that an enclave's document was made for their decision. */
export function nodeNonce(node: number): Step<'nonce'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/nonce`,
    role,
    name: 'nonce',
    stage: 2,
    summary: 'make a nonce, for which the enclave has to show its attestation document',
    needs: [`${role}/configuration`],
    async inspect(context) {
      const stated = await context.exchange.statement(role, 'nonce');
      if (stated === undefined)
        return { state: 'ready', changes: [`makes a nonce for the enclave of node ${node}`] };
      if (!(await isOutOfDate(context, node))) return { state: 'done' };
      return {
        state: 'ready',
        changes: [`makes another nonce: the document of node ${node} has grown too old for the gate`],
      };
    },
    async apply(context) {
      const stated = await context.exchange.statement(role, 'nonce');
      // A nonce that the others have seen stays, so that a second run does not undo what they do meanwhile.
      if (stated !== undefined && !(await isOutOfDate(context, node)))
        return { facts: stated.facts, files: [] };
      return { facts: { nonce: toHex(context.random(NONCE_BYTES)) }, files: [] };
    },
  };
}

/** Whether there is a document for the nonce in force that is too old, and no gate has passed it. */
async function isOutOfDate({ exchange, clock }: StepContext, node: number): Promise<boolean> {
  const role = roleOfNode(node);
  const [nonce, gate, shown] = [
    await exchange.statement(role, 'nonce'),
    await exchange.statement(role, 'gate'),
    await exchange.statement('infrastructure', 'attestations'),
  ];
  if (nonce === undefined || gate !== undefined || shown === undefined) return false;
  const isFor = shown.facts.documents.some(
    (document) => document.node === node && document.nonce === nonce.facts.nonce,
  );
  return isFor && clock() - Date.parse(shown.time) > MAX_DOCUMENT_AGE_MS;
}
