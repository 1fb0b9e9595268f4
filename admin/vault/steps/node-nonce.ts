import { AttestationError, parsePcrFile, verifyAttestationDocument } from '../../../attestation/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { readDocument } from './infrastructure-attestations.ts';
import type { Step } from './step.ts';
import { toHex } from './support.ts';

/** Length of the nonce of an attestation document, in bytes. */
export const NONCE_BYTES = 32;
/** Age in milliseconds from which a document is made anew: the gate takes none of three hours. */
const RENEWAL_AGE_MS = 2.5 * 3_600_000;
/** Codes of a document whose time, or whose certificate's, is over. */
const TOO_OLD: readonly string[] = ['CERTIFICATE_EXPIRED', 'DOCUMENT_TOO_OLD'];

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

/** Whether there is a document for the nonce in force that is too old for the gate, and none has passed it. */
async function isOutOfDate(context: StepContext, node: number): Promise<boolean> {
  const role = roleOfNode(node);
  const { exchange } = context;
  const [nonce, gate, shown] = [
    await exchange.statement(role, 'nonce'),
    await exchange.statement(role, 'gate'),
    await exchange.statement('infrastructure', 'attestations'),
  ];
  if (nonce === undefined || gate !== undefined || shown === undefined) return false;
  const document = await readDocument(context, shown, node, nonce.facts.nonce);
  return document !== undefined && (await isTooOld(document, context));
}

/** Whether a document of the release at hand is too old; one that is not genuine is for the gate to refuse. */
export async function isTooOld(document: Uint8Array, context: StepContext): Promise<boolean> {
  const pcrs = parsePcrFile((await context.release()).pcrJson);
  try {
    verifyAttestationDocument(document, {
      root: context.root,
      at: context.clock(),
      maxAgeMs: RENEWAL_AGE_MS,
      pcrs,
    });
    return false;
  } catch (error) {
    if (error instanceof AttestationError) return TOO_OLD.includes(error.code);
    throw error;
  }
}
