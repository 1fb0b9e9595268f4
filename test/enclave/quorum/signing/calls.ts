import { createHash, sign } from 'node:crypto';
import { parseEntry, type Receipt, unsafeParseReceipt } from '../../../../audit/receipt/index.ts';
import { RefusedRequest } from '../../../../enclave/signing/index.ts';
import {
  COMMIT_CALL,
  commitAnswer,
  commitCall,
  SIGN_CALL,
  type SignAnswer,
  signAnswers,
  signCall,
  type SignEntry,
} from '../../../../enclave/quorum/signing/messages.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import { errorCode } from '../../../../shared/errors.ts';
import { parseJson } from '../../../../shared/json/index.ts';
import type { ForwardedRequest } from '../../../../enclave/signing/index.ts';
import { KEY, type QuorumTestbed } from './quorum-testbed.ts';

/** A call to sign that went over the network. */
export interface SeenCall {
  readonly from: number;
  readonly to: number;
  readonly entries: readonly SignEntry[];
}

/** Collects all calls to sign from now on. */
export function watchCalls(testbed: QuorumTestbed): SeenCall[] {
  const seen: SeenCall[] = [];
  testbed.network.onDelivery = ({ from, to, kind, body }) => {
    if (kind === SIGN_CALL) seen.push({ from, to, entries: signCall.decode(body).entries });
    return true;
  };
  return seen;
}

/** Gets a call between two nodes that was made for a request, so that a test may alter and repeat it. */
export async function captureEntry(
  testbed: QuorumTestbed,
  from: number,
  to: number,
  request: Partial<SignRequest> = {},
): Promise<SignEntry> {
  const seen = watchCalls(testbed);
  // The call is lost: what it carries was never seen by its receiver.
  const { onDelivery } = testbed.network;
  testbed.network.onDelivery = (delivery) => onDelivery(delivery) && delivery.kind !== SIGN_CALL;
  const others = testbed.nodes.map(({ number }) => number).filter((node) => node !== from && node !== to);
  for (const node of others) testbed.node(node).crash();
  const lost = testbed.node(from).sign(request).catch(errorCode);
  while (seen.length === 0) await new Promise(setImmediate);
  testbed.network.onDelivery = () => true;
  lost.catch(() => undefined);
  const entry = seen[0]?.entries[0];
  if (entry === undefined) throw new RangeError('expected a call');
  return entry;
}

/** Calls a node to sign, as any node of the quorum could. */
export async function callToSign(
  testbed: QuorumTestbed,
  from: number,
  to: number,
  entries: readonly SignEntry[],
): Promise<readonly SignAnswer[]> {
  const body = signCall.encode({ entries: [...entries] });
  const answered = await testbed.node(from).running.network.call(to, SIGN_CALL, body, { timeoutMs: 2_000 });
  return signAnswers.decode(answered).answers as readonly SignAnswer[];
}

/** Calls with one request. */
export async function callOnce(testbed: QuorumTestbed, from: number, to: number, entry: SignEntry) {
  const [answer] = await callToSign(testbed, from, to, [entry]);
  if (answer === undefined) throw new RangeError('expected an answer');
  return answer;
}

/** Has the receiver of an entry make new nonces for it. */
export async function takeNewNonces(
  testbed: QuorumTestbed,
  from: number,
  to: number,
  entry: SignEntry,
): Promise<SignEntry> {
  const { epoch, group } = entry;
  const count = entry.nonces.length;
  const body = commitCall.encode({ keys: [{ key: KEY, epoch, group, count, certificate: null }] });
  const { network } = testbed.node(from).running;
  const answered = await network.call(to, COMMIT_CALL, body, { timeoutMs: 2_000 });
  const [made] = commitAnswer.decode(answered).keys;
  if (made === undefined || made.code !== null) throw new RangeError('expected commitments');
  return {
    ...entry,
    nonces: entry.nonces.map((_, index) => made.first + index),
    package: entry.package.map((one) =>
      one.participant === to ? { ...one, commitments: made.commitments } : one,
    ),
  };
}

/** Reads what a receipt in an answer says of the decision. */
export function readAnswered(receipt: Uint8Array | null) {
  if (receipt === null) throw new RangeError('expected a receipt');
  return readReceipt(parseJson(receipt, { maxBytes: receipt.length, maxDepth: 8 }) as never);
}

export function readReceipt(receipt: Receipt | undefined) {
  if (receipt === undefined) throw new RangeError('expected a receipt');
  return parseEntry(unsafeParseReceipt(Buffer.from(JSON.stringify(receipt))).entry).predicate;
}

/** The refusal of a request. */
export async function refusalOf(promise: Promise<unknown>): Promise<RefusedRequest> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RefusedRequest) return error;
  throw new TypeError('not refused with a receipt', { cause: error });
}

/**
 * Signs another message for the same node with the nonce and the time of a request, as a hostile client can: by RFC 9421,
 * with nothing of the code that verifies it.
 */
export function signWithSameNonce(
  testbed: QuorumTestbed,
  { method, target, fields }: ForwardedRequest,
  message: string,
): ForwardedRequest {
  const payload = { kind: 'message', message };
  const body = Buffer.from(JSON.stringify({ key: KEY, algorithm: testbed.options.type, payload }));
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const base = [
    `"@method": ${method}`,
    `"@path": ${target}`,
    '"@query": ?',
    `"holdfast-session": ${fields['holdfast-session']}`,
    `"content-digest": ${digest}`,
    `"content-type": ${fields['content-type']}`,
    `"@signature-params": ${fields['signature-input'].slice('sig='.length)}`,
  ].join('\n');
  const signature = sign(null, Buffer.from(base), testbed.client.privateKey).toString('base64');
  return {
    method,
    target,
    fields: { ...fields, 'content-digest': digest, signature: `sig=:${signature}:` },
    body: new Uint8Array(body),
  };
}
