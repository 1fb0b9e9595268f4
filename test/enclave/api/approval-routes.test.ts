import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { createApprovalRoutes } from '../../../enclave/api/approval-routes.ts';
import { createRouter } from '../../../enclave/api/router.ts';
import type { PendingRequests, ReceivedVote } from '../../../enclave/approvals/index.ts';
import { decodePayload } from '../../../policy/transactions/index.ts';
import { encodeTransaction } from '../../../policy/transactions/json.ts';
import {
  MAX_VOTE_BYTES,
  pendingRequestSchema,
  requestListSchema,
  requestSummarySchema,
  reviewResponseSchema,
  voteResponseSchema,
} from '../../../shared/api/requests.ts';
import {
  ed25519PublicKeyHex,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
} from '../../../shared/dsse/index.ts';
import { Circumstances, newRequest, statementOf, toBody } from '../approvals/circumstances.ts';

const receiptKey = generateKeyPairSync('ed25519');
const attest = vi.fn<() => Promise<Uint8Array>>(() => Promise.resolve(Uint8Array.of(1, 2, 3)));
const recordVote = vi.fn<(received: ReceivedVote) => Promise<void>>(async ({ apply }) => {
  await Promise.resolve();
  apply();
});
const resume = vi.fn<() => Promise<unknown>>(() => Promise.resolve({ signature: 'ab' }));

let around: Circumstances;
let requests: PendingRequests;
let client: string;

beforeEach(async () => {
  vi.clearAllMocks();
  around = new Circumstances();
  requests = await around.start();
  client = 'backend';
});

function start() {
  const routes = createApprovalRoutes({
    requests,
    manifest: 'cd'.repeat(48),
    configuration: Buffer.from('the signed configuration'),
    read: ({ request: { algorithm, payload } }) => {
      const context = { algorithm, publicKey: new Uint8Array(), networks: [], ownKeys: [] };
      const { transaction } = decodePayload(payload, context);
      return {
        transaction: encodeTransaction(transaction),
        context: { publicKey: '', networks: [], ownKeys: [] },
      };
    },
    signEnvelope: (envelope) => signEnvelope(envelope, receiptKey.privateKey),
    attest,
    recordVote,
    resume,
    now: () => around.now,
  });
  const handle = createRouter(routes, {
    authenticate: () => ({ clientId: client, admit: () => undefined }),
    onError: () => undefined,
  });
  return async (method: string, target: string, body?: unknown) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const handled = handle({ method, target, rawHeaders: [], contentLength: text.length });
    return await (typeof handled === 'function' ? handled(Buffer.from(text)) : handled);
  };
}

describe('the routes of a client', () => {
  test('list its own requests, and none of another client', async () => {
    const id = requests.create(newRequest());
    const { body } = await start()('GET', '/v1/requests');
    expect(requestListSchema.parse(body).requests).toMatchObject([{ id, state: 'waiting', kind: 'message' }]);
    client = 'desk';
    expect((await start()('GET', '/v1/requests')).body).toEqual({ requests: [] });
  });

  test('show one, and carry it out', async () => {
    const id = requests.create(newRequest());
    const send = start();
    expect(requestSummarySchema.parse((await send('GET', `/v1/requests/${id}`)).body)).toMatchObject({
      id,
      needs: [{ group: 'treasury', count: 2, approvers: ['alice', 'bob'] }],
    });
    expect(await send('POST', `/v1/requests/${id}`, { force: true })).toMatchObject({ status: 400 });
    expect(resume).not.toHaveBeenCalled();
    expect(await send('POST', `/v1/requests/${id}`, {})).toEqual({ status: 200, body: { signature: 'ab' } });
    expect(resume).toHaveBeenCalledWith('backend', id, expect.any(Function));
  });

  test('show nothing of another client', async () => {
    const id = requests.create(newRequest());
    client = 'desk';
    const send = start();
    expect(await send('GET', `/v1/requests/${id}`)).toEqual({
      status: 404,
      body: { error: 'REQUEST_UNKNOWN' },
    });
  });
});

describe('a review', () => {
  test('is the request as the receipt key has signed it, with what it rests on', async () => {
    const id = requests.create(newRequest());
    const { status, body } = await start()('GET', `/v1/requests/${id}/review`);
    expect(status).toBe(200);
    const review = reviewResponseSchema.parse(body);
    const { payload } = verifyEnvelope(parseEnvelope(Buffer.from(review.envelope, 'base64')), {
      payloadType: 'application/vnd.holdfast.pending-request+json',
      keys: [ed25519PublicKeyHex(receiptKey.publicKey)],
      threshold: 1,
    });
    const pending = pendingRequestSchema.parse(JSON.parse(Buffer.from(payload).toString()));
    expect(pending).toMatchObject({ id, client: 'backend', request: newRequest().request, votes: [] });
    expect(pending.transaction).toMatchObject({ kind: 'message', effects: [{ type: 'blind' }] });
    expect(Buffer.from(review.configuration, 'base64').toString()).toBe('the signed configuration');
  });

  test('asks the NSM once a minute, however many read', async () => {
    const id = requests.create(newRequest());
    const send = start();
    await Promise.all([1, 2, 3].map(() => send('GET', `/v1/requests/${id}/review`)));
    expect(attest).toHaveBeenCalledTimes(1);
    around.now += 59_999;
    await send('GET', `/v1/requests/${id}/review`);
    expect(attest).toHaveBeenCalledTimes(1);
    requests.create(newRequest(1, 'desk', around.now + 60_000));
    around.now += 1;
    await send('GET', `/v1/requests/${requests.list('desk')[0]?.request.id}/review`);
    expect(attest).toHaveBeenCalledTimes(2);
  });

  test('is given for no id that nobody has made', async () => {
    const send = start();
    expect(await send('GET', `/v1/requests/${'00'.repeat(16)}/review`)).toMatchObject({ status: 404 });
    expect(await send('GET', `/v1/requests/${'00'.repeat(15)}/review`)).toMatchObject({ status: 404 });
    expect(attest).not.toHaveBeenCalled();
  });
});

describe('a vote', () => {
  test('is recorded and counted', async () => {
    const id = requests.create(newRequest());
    const vote = toBody(around.alice.sign(statementOf(requests, id, 'alice')));
    const { status, body } = await start()('POST', `/v1/requests/${id}/votes`, vote);
    expect(status).toBe(200);
    expect(voteResponseSchema.parse(body)).toMatchObject({
      state: 'waiting',
      votes: [{ approver: 'alice', decision: 'approve' }],
    });
    expect(recordVote).toHaveBeenCalledTimes(1);
    expect(requests.approvalsOf(id)).toMatchObject([{ ...vote, approver: 'alice', decision: 'approve' }]);
  });

  test('is refused by its code, and not recorded', async () => {
    const id = requests.create(newRequest());
    const send = start();
    const other = toBody(around.bob.sign(statementOf(requests, id, 'bob', { rule: 'another' })));
    expect(await send('POST', `/v1/requests/${id}/votes`, other)).toEqual({
      status: 403,
      body: { error: 'APPROVAL_OTHER_RULE' },
    });
    const extra = { ...other, more: 1 };
    expect(await send('POST', `/v1/requests/${id}/votes`, extra)).toMatchObject({ status: 400 });
    expect(await send('POST', `/v1/requests/${'00'.repeat(16)}/votes`, other)).toMatchObject({ status: 404 });
    const long = { pad: 'x'.repeat(MAX_VOTE_BYTES) };
    expect(await send('POST', `/v1/requests/${id}/votes`, long)).toMatchObject({ status: 413 });
    expect(recordVote).not.toHaveBeenCalled();
  });

  test('is not verified more often than so many times a second', async () => {
    const id = requests.create(newRequest());
    const send = start();
    const other = toBody(around.bob.sign(statementOf(requests, id, 'bob', { rule: 'another' })));
    const statuses: number[] = [];
    for (let count = 0; count < 33; count += 1) {
      statuses.push((await send('POST', `/v1/requests/${id}/votes`, other)).status);
    }
    expect(statuses.slice(0, 32).every((status) => status === 403)).toBe(true);
    expect(statuses[32]).toBe(503);
    around.now += 1_000;
    expect((await send('POST', `/v1/requests/${id}/votes`, other)).status).toBe(403);
  });
});
