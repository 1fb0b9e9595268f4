import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openApprovalDoor } from '../../../parent/approvals/door.ts';
import type { Door } from '../../../parent/common/door.ts';
import { silentLog } from '../../../parent/common/log.ts';
import { encodeStatement } from '../../../policy/approvals/index.ts';
import { MAX_VOTE_BYTES, reviewResponseSchema } from '../../../shared/api/requests.ts';
import { PARENT_CID } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { CAROL, DAVE, makeTransfer, WaitingNode } from '../../approvals/waiting-node.ts';
import { toBody } from '../../enclave/approvals/circumstances.ts';
import { KeyHolder, PasskeyHolder } from '../../policy/approvals/people.ts';
import type { Behaviour } from '../../shared/webauthn/authenticator.ts';
import { UP, UV } from '../../shared/webauthn/authenticator.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ENCLAVE_CID = 16;
const alice = new PasskeyHolder('alice');
const bob = new KeyHolder('bob');
let node: WaitingNode;
let door: Door;
let api: { close(): Promise<void> };
let base: string;

beforeEach(async () => {
  node = await WaitingNode.start([alice.entry, bob.entry]);
  const directory = temporaryFolder();
  api = await node.serve(createUnixTransport({ directory, cid: ENCLAVE_CID }));
  door = await openApprovalDoor({
    port: 0,
    origins: ['https://approve.example'],
    transport: createUnixTransport({ directory, cid: PARENT_CID }),
    to: { cid: ENCLAVE_CID, port: 443 },
    log: silentLog,
  });
  base = `http://127.0.0.1:${door.port}`;
});

afterEach(async () => {
  await door.close();
  await api.close();
});

function sign(id: string, person: KeyHolder | PasskeyHolder, behaviour: Behaviour = {}) {
  const { request } = node.requests.find(id);
  const statement = encodeStatement({
    format: 'holdfast-approval/1',
    decision: 'approve',
    request: { id, digest: request.digest },
    manifest: Buffer.from(node.manifestDigest).toString('hex'),
    configuration: request.configuration,
    rule: request.rule,
    approver: person.id,
    expires: request.expires,
  });
  return toBody(person instanceof KeyHolder ? person.sign(statement) : person.sign(statement, behaviour));
}

async function vote(id: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${base}/v1/requests/${id}/votes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return ((await response.json()) as { error?: string; state?: string }).error ?? 'counted';
}

describe('the door for approvers', () => {
  test('carries a review and a vote, and lets pages of its origins read', async () => {
    const id = node.ask(makeTransfer(CAROL, 1n));
    const headers = { origin: 'https://approve.example' };
    const response = await fetch(`${base}/v1/requests/${id}/review`, { headers });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://approve.example');
    expect(reviewResponseSchema.safeParse(await response.json()).success).toBe(true);
    expect(await vote(id, sign(id, bob))).toBe('counted');
    expect(node.requests.approvalsOf(id)).toHaveLength(1);
    const other = await fetch(`${base}/v1/requests/${id}/review`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('answers what a browser asks before a vote', async () => {
    const response = await fetch(`${base}/v1/requests/${'00'.repeat(16)}/votes`, {
      method: 'OPTIONS',
      headers: { origin: 'https://approve.example' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-methods')).toBe('POST');
  });

  test.each([
    ['GET', '/v1/keys', 404],
    ['POST', '/v1/sign', 404],
    ['POST', '/v1/attestation', 404],
    ['GET', `/v1/requests/${'00'.repeat(16)}`, 404],
    ['GET', `/v1/requests/${'00'.repeat(16)}/review?x=1`, 404],
    ['GET', `/v1/requests/${'00'.repeat(16)}/../x/review`, 404],
    ['POST', `/v1/requests/${'00'.repeat(16)}/review`, 405],
    ['GET', `/v1/requests/${'00'.repeat(16)}/votes`, 405],
  ])('carries nothing else: %s %s', async (method, path, status) => {
    expect((await fetch(`${base}${path}`, { method })).status).toBe(status);
  });

  test('carries no long body, and none without a length', async () => {
    const body = JSON.stringify({ pad: 'x'.repeat(MAX_VOTE_BYTES) });
    const path = `/v1/requests/${'00'.repeat(16)}/votes`;
    expect((await fetch(`${base}${path}`, { method: 'POST', body })).status).toBe(413);
    const socket = connect(door.port, '127.0.0.1');
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
    const response = await new Promise<Buffer>((resolve) => {
      socket.once('data', resolve);
    });
    expect(response.toString()).toMatch(/^HTTP\/1.1 411 /);
    socket.destroy();
  });

  test('says that the enclave is gone', async () => {
    await api.close();
    const response = await fetch(`${base}/v1/requests/${'00'.repeat(16)}/review`);
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ error: 'ENCLAVE_UNREACHABLE' });
  });
});

describe('a parent that alters, replays or swaps votes', () => {
  test('gains no vote by a replay, a swap or an alteration', async () => {
    const expires = Date.now() + 60_000;
    const id = node.ask(makeTransfer(CAROL, 1n), { count: 2, expires });
    const dear = node.ask(makeTransfer(DAVE, 900n), { expires });
    const cast = sign(id, bob);
    expect(await vote(dear, cast)).toBe('APPROVAL_OTHER_REQUEST');
    const swapped = Buffer.from(cast.statement, 'base64')
      .toString()
      .replaceAll(id, dear)
      .replace(node.requests.find(id).request.digest, node.requests.find(dear).request.digest);
    expect(await vote(dear, { ...cast, statement: Buffer.from(swapped).toString('base64') })).toBe(
      'APPROVAL_SIGNATURE_INVALID',
    );
    const rejected = Buffer.from(cast.statement, 'base64').toString().replace('"approve"', '"reject"');
    expect(await vote(id, { ...cast, statement: Buffer.from(rejected).toString('base64') })).toBe(
      'APPROVAL_SIGNATURE_INVALID',
    );
    expect(await vote(id, cast)).toBe('counted');
    expect(await vote(id, cast)).toBe('APPROVAL_REPEATED');
    expect(node.requests.approvalsOf(id)).toHaveLength(1);
    expect(node.requests.approvalsOf(dear)).toEqual([]);
  });

  test('gains no vote by the assertion of a passkey for another request', async () => {
    const id = node.ask(makeTransfer(CAROL, 1n));
    const dear = node.ask(makeTransfer(DAVE, 900n));
    expect(await vote(dear, { ...sign(dear, alice), proof: sign(id, alice).proof })).toBe(
      'APPROVAL_OTHER_REQUEST',
    );
  });

  test.each<[string, Behaviour, string]>([
    ['of another origin', { origin: 'https://evil.example' }, 'APPROVAL_ORIGIN'],
    ['of another relying party', { relyingParty: 'evil.example' }, 'APPROVAL_ORIGIN'],
    ['from within a frame', { members: { crossOrigin: true } }, 'APPROVAL_ORIGIN'],
    ['without user verification', { flags: UP }, 'APPROVAL_USER_NOT_VERIFIED'],
    ['without a user', { flags: UV }, 'APPROVAL_USER_NOT_VERIFIED'],
  ])('gains no vote by an assertion %s', async (_, behaviour, code) => {
    const id = node.ask(makeTransfer(CAROL, 1n));
    expect(await vote(id, sign(id, alice, behaviour))).toBe(code);
    expect(node.requests.approvalsOf(id)).toEqual([]);
  });

  test('gains no vote by a counter that goes back, nor after the end of the request', async () => {
    const [one, two] = [node.ask(makeTransfer(CAROL, 1n)), node.ask(makeTransfer(CAROL, 2n))];
    expect(await vote(one, sign(one, alice, { counter: 100 }))).toBe('counted');
    expect(await vote(two, sign(two, alice, { counter: 100 }))).toBe('APPROVAL_COUNTER_BACK');
    const expires = Date.now() + 600_000;
    const brief = node.ask(makeTransfer(CAROL, 3n), { expires });
    const cast = sign(brief, bob);
    vi.useFakeTimers({ toFake: ['Date'], now: expires });
    onTestFinished(() => void vi.useRealTimers());
    expect(await vote(brief, cast)).toBe('REQUEST_UNKNOWN');
  });
});
