import { hash } from 'node:crypto';
import { openCheckpoint, parseVerifierKey, verifyConsistency } from '../audit/log/index.ts';
import { verifyByNode } from '../audit/log/node-signatures.ts';
import { describePending, RequestError } from '../enclave/approvals/index.ts';
import { describeSigned } from '../enclave/api/signing-routes.ts';
import { RefusedRequest } from '../enclave/signing/index.ts';
import { StoreError } from '../enclave/store/index.ts';
import { ApprovalError } from '../policy/approvals/index.ts';
import { PENDING_REQUEST_PAYLOAD_TYPE } from '../shared/api/requests.ts';
import {
  ColdError,
  type ColdOutcome,
  type ColdRequest,
  createColdResponse,
  unsafeParseColdRequest,
  verifyColdRequest,
} from '../shared/cold/index.ts';
import { createEnvelope, signEnvelope } from '../shared/dsse/index.ts';
import { HoldfastError, InternalError } from '../shared/errors.ts';
import type { ColdNode } from './node.ts';

/** What a cold node has decided, and its response to be carried away. */
export interface Decided {
  readonly request: ColdRequest;
  readonly outcome: ColdOutcome;
  /** Envelope of the response, signed by the receipt key. */
  readonly response: Uint8Array<ArrayBuffer>;
}

/**
 * Decides a request as an enclave does, and makes the response. Errors before the decision are thrown and nothing is
 * recorded; afterwards every outcome is an entry of the log, and the response says which.
 *
 * @throws ColdError COLD_REQUEST_…, COLD_STORE_ROLLED_BACK; StoreError
 */
export async function decideColdRequest(node: ColdNode, envelope: Uint8Array): Promise<Decided> {
  const unverified = unsafeParseColdRequest(envelope);
  const { clients } = node.signed.configuration;
  const client = clients.find(({ id }) => id === unverified.request.client);
  const request = verifyColdRequest(unverified, client?.publicKey);
  const manifest = Buffer.from(node.measured.digest).toString('hex');
  if (request.manifest !== manifest) {
    throw new ColdError('COLD_REQUEST_OTHER_NODE', 'the request names another manifest', {
      expected: manifest,
      actual: request.manifest,
    });
  }
  if (request.checkpoint !== null) await assertContinues(node, request.checkpoint);
  node.memory.takeRequest(request, node.now(), clients.length);
  const outcome = await decide(node, request);
  // A request that no entry tells of is remembered all the same.
  await node.log.seal();
  const response = createColdResponse(
    {
      format: 'holdfast-cold-response/1',
      manifest,
      request: { id: request.id, digest: hash('sha256', envelope, 'hex') },
      time: node.now(),
      outcome,
      checkpoint: node.log.checkpoint,
    },
    node.nodeKeys.receipt.privateKey,
  );
  return { request, outcome, response };
}

/**
 * Asserts that the node's log continues the tree that the client knows: a store that was rolled back lacks what came
 * later, and signs nothing.
 */
async function assertContinues(node: ColdNode, checkpoint: string): Promise<void> {
  const { log } = node;
  const key = parseVerifierKey(log.vkey, ['ed25519']);
  const open = (note: string) =>
    openCheckpoint(Buffer.from(note), { origin: log.origin, keys: [key] }, verifyByNode);
  try {
    const known = open(checkpoint);
    const own = open(log.checkpoint);
    const isLater = known.size > own.size;
    const proof = isLater || known.size === 0 ? [] : await node.proveConsistency(known.size, own.size);
    verifyConsistency(known, own, proof);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw new ColdError(
      'COLD_STORE_ROLLED_BACK',
      "the node's log does not continue the checkpoint that the request knows",
      {},
      error,
    );
  }
}

async function decide(node: ColdNode, { ask, client }: ColdRequest): Promise<ColdOutcome> {
  const votes: (string | null)[] = [];
  try {
    if (ask.type === 'sign') return describe(node, await node.pipeline.sign(client, ask.request));
    if (ask.type === 'backup' || ask.type === 'acknowledge') return await keep(node, client, ask);
    // Only the client's own: it learns nothing of those of others.
    node.state.requests.findOwn(client, ask.waiting);
    for (const vote of ask.votes) votes.push(await takeVote(node, ask.waiting, vote));
    return describe(node, await node.pipeline.resume(client, ask.waiting));
  } catch (error) {
    if (!(error instanceof HoldfastError) || endsNode(error)) throw error;
    return {
      state: 'refused',
      code: error.code,
      message: error.message,
      ...(error instanceof RefusedRequest ? { receipt: error.receipt } : {}),
      ...(votes.length === 0 ? {} : { votes }),
    };
  }
}

/** Backs a key up, or takes a keeper's word that a backup is kept. */
async function keep(
  { pipeline: { recovery }, signed }: ColdNode,
  client: string,
  ask: Extract<ColdRequest['ask'], { type: 'backup' | 'acknowledge' }>,
): Promise<ColdOutcome> {
  if (recovery === undefined) throw new InternalError('expected a node that makes backups');
  const { version: configuration } = signed.configuration;
  if (ask.type === 'acknowledge') {
    const { key, acknowledgement } = ask;
    const { result, rule, receipt } = await recovery.acknowledge(client, { key, acknowledgement });
    const { statement, keeper } = result;
    return { state: 'acknowledged', statement, keeper: keeper.id, rule, configuration, receipt };
  }
  const { key, nonce } = ask;
  const { result, rule, receipt } = await recovery.backUp(client, { key, nonce, after: null });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    state: 'backed-up',
    statement: base64(result.statement),
    signed: base64(result.document),
    ciphertexts: result.ciphertexts.map(base64),
    rule,
    configuration,
    receipt,
  };
}

/** Returns null for a vote that counts, and the code of one that does not: the others count all the same. */
async function takeVote(
  { state, decisionLog }: ColdNode,
  id: string,
  vote: Parameters<typeof state.requests.vote>[1],
): Promise<string | null> {
  try {
    await state.requests.vote(id, vote, (received) => decisionLog.recordVote(received));
    return null;
  } catch (error) {
    if (error instanceof ApprovalError || error instanceof RequestError) return error.code;
    throw error;
  }
}

function describe(
  node: ColdNode,
  carriedOut: Awaited<ReturnType<ColdNode['pipeline']['sign']>>,
): ColdOutcome {
  const { version: configuration } = node.signed.configuration;
  if (carriedOut.outcome === 'permitted')
    return { state: 'signed', ...describeSigned(carriedOut, configuration) };
  const { id, expires, rule, receipt } = carriedOut;
  const pending = describePending(node.state.requests.find(id), {
    manifest: Buffer.from(node.measured.digest).toString('hex'),
    read: (request) => node.pipeline.review(request),
    now: node.now,
  });
  const unsigned = createEnvelope(PENDING_REQUEST_PAYLOAD_TYPE, Buffer.from(JSON.stringify(pending)));
  const review = signEnvelope(unsigned, node.nodeKeys.receipt.privateKey);
  return {
    state: 'waiting',
    waiting: { id, expires },
    rule,
    configuration,
    receipt,
    review: Buffer.from(JSON.stringify(review)).toString('base64'),
  };
}

function endsNode(error: HoldfastError): boolean {
  const cause = error instanceof RefusedRequest ? error.cause : error;
  return cause instanceof StoreError && cause.code !== 'STORE_FULL';
}
