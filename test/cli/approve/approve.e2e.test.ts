import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApprovalDoor } from '../../../parent/approvals/door.ts';
import type { Door } from '../../../parent/common/door.ts';
import { silentLog } from '../../../parent/common/log.ts';
import { PARENT_CID } from '../../../shared/transport/ports.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';
import { CAROL, DAVE, makeTransfer, type NodeChanges, WaitingNode } from '../../approvals/waiting-node.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runHoldfast } from '../in-process.ts';

const ENCLAVE_CID = 16;
const ETHER = 10n ** 18n;
let folder: string;
let publicKey: string;
const closers: (() => Promise<void>)[] = [];
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = temporaryFolder();
  const keys = generateKeyPairSync('ed25519');
  writeFileSync(at('dana.pem'), keys.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  publicKey = Buffer.from(keys.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(changes: NodeChanges = {}): Promise<{ node: WaitingNode; door: Door }> {
  const node = await WaitingNode.start(
    [{ id: 'dana', credentials: [{ type: 'ed25519', publicKey }] }],
    changes,
  );
  const directory = temporaryFolder();
  const api = await node.serve(createUnixTransport({ directory, cid: ENCLAVE_CID }));
  const door = await openApprovalDoor({
    port: 0,
    transport: createUnixTransport({ directory, cid: PARENT_CID }),
    to: { cid: ENCLAVE_CID, port: 443 },
    log: silentLog,
  });
  closers.push(
    () => door.close(),
    () => api.close(),
  );
  writeFileSync(at('manifest.json'), node.manifest);
  writeFileSync(at('pcr.json'), node.pcrs);
  writeFileSync(at('root.der'), node.root.certificate);
  return { node, door };
}

const trust = () => [
  '--pcrs',
  at('pcr.json'),
  '--manifest',
  at('manifest.json'),
  '--root',
  at('root.der'),
  '--profile',
  'none',
];
const as = () => ['--approver', 'dana', '--key', at('dana.pem')];
const urlOf = ({ port }: Door) => ['--url', `http://127.0.0.1:${port}`];

async function run(...argv: string[]) {
  const { exit, out } = await runHoldfast([...argv, '--json']);
  return { exit, text: out };
}

const vote = (verb: 'sign' | 'reject', id: string, door: Door, digest: string) =>
  run('approve', verb, id, ...urlOf(door), ...trust(), ...as(), '--yes-digest', digest);

describe('holdfast approve', () => {
  test('shows a verified request, and approves it by its digest', async () => {
    const { node, door } = await start();
    const id = node.ask(makeTransfer(CAROL, 2n * ETHER));
    const shown = await runHoldfast(['approve', 'show', id, ...urlOf(door), ...trust()]);
    expect(shown.exit).toBe(0);
    expect(shown.out).toContain('Sends 2 ETH');
    expect(shown.out).toContain(`To: Carol & Sons (suppliers) ${CAROL}`);
    const { digest } = node.requests.find(id).request;
    const cast = await vote('sign', id, door, digest);
    expect(cast.exit).toBe(0);
    expect(node.requests.approvalsOf(id).map(({ approver }) => approver)).toEqual(['dana']);
  });

  test('rejects', async () => {
    const { node, door } = await start();
    const id = node.ask(makeTransfer(CAROL, ETHER));
    const { digest } = node.requests.find(id).request;
    const cast = await vote('reject', id, door, digest);
    expect(cast.exit).toBe(0);
    expect(node.requests.find(id).state).toBe('rejected');
  });

  test('signs nothing by the digest of another request, and nothing without one', async () => {
    const { node, door } = await start();
    const id = node.ask(makeTransfer(CAROL, ETHER));
    const other = node.requests.find(node.ask(makeTransfer(DAVE, ETHER))).request.digest;
    const cast = await vote('sign', id, door, other);
    expect(cast.exit).toBe(1);
    expect(cast.text).toContain('DIGEST_NOT_CONFIRMED');
    const silent = await runHoldfast(['approve', 'sign', id, ...urlOf(door), ...trust(), ...as()]);
    expect(silent.exit).toBe(2);
    expect(node.requests.approvalsOf(id)).toEqual([]);
  });

  test('reads a request from a file, and keeps the vote in another', async () => {
    const { node } = await start();
    const id = node.ask(makeTransfer(CAROL, ETHER));
    writeFileSync(at('review.json'), JSON.stringify(await node.review(id)));
    const { digest } = node.requests.find(id).request;
    const file = ['--file', at('review.json'), '--output', at('vote.json')];
    const cast = await run('approve', 'sign', ...file, ...trust(), ...as(), '--yes-digest', digest);
    expect(cast.exit).toBe(0);
    const body = JSON.parse(readFileSync(at('vote.json'), 'utf8')) as Parameters<
      typeof node.requests.vote
    >[1];
    await node.requests.vote(id, body, ({ apply }) => Promise.resolve(apply()));
    expect(node.requests.approvalsOf(id)).toHaveLength(1);
  });

  test.each<[string, NodeChanges, string]>([
    ['an enclave with another manifest', { measured: Uint8Array.of(1) }, 'PCR_MISMATCH'],
    [
      'another receipt key',
      { userData: { format: 'holdfast-node/2', receiptKey: '33'.repeat(32) } },
      'REVIEW_SIGNATURE_INVALID',
    ],
    [
      'a node that shows another recipient than it signs for',
      { alter: (pending) => JSON.parse(JSON.stringify(pending).replaceAll(CAROL, DAVE)) as typeof pending },
      'REVIEW_READINGS_DIFFER',
    ],
  ])('refuses %s', async (_, changes, code) => {
    const { node, door } = await start(changes);
    const id = node.ask(makeTransfer(CAROL, ETHER));
    const shown = await run('approve', 'show', id, ...urlOf(door), ...trust());
    expect(shown.exit).toBe(1);
    expect(shown.text).toContain(code);
  });

  test('says by its code why a vote does not count, and that nobody responds', async () => {
    const { node, door } = await start();
    const id = node.ask(makeTransfer(CAROL, ETHER));
    const { digest } = node.requests.find(id).request;
    const sign = () => vote('sign', id, door, digest);
    expect((await sign()).exit).toBe(0);
    expect((await sign()).text).toContain('APPROVAL_REPEATED');
    const gone = await run('approve', 'show', id, '--url', 'http://127.0.0.1:1', ...trust());
    expect(gone.text).toContain('REQUEST_UNREACHABLE');
  });
});
