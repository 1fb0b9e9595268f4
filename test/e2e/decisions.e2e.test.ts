import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEther, parseGwei, serializeTransaction } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import {
  ClientError,
  documentReceipt,
  type NodeClient,
  NodeRefusal,
  type Receipt,
  ReceiptError,
} from '../../client/index.ts';
import { CLIENT } from '../../local/testbed/scenario.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import { refusalIn, runHoldfast } from '../cli/in-process.ts';
import {
  codeOf,
  DecisionNode,
  ETHER,
  ETHEREUM,
  permitTransfers,
  waitingId,
} from './support/decision-node.ts';

const RECIPIENT = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';
const UNKNOWN_ID = '00'.repeat(16);
const byTreasury = (expiresSeconds: number) => ({ all: [{ group: 'treasury', count: 2 }], expiresSeconds });

let nonce = 0;
/** Makes a request for a transfer of some ether, each with a nonce of its own. */
function transfer(ether: string, key = 'ethereum', to: `0x${string}` = RECIPIENT): SignRequest {
  nonce += 1;
  const transaction = serializeTransaction({
    type: 'eip1559',
    chainId: 1,
    nonce,
    to,
    value: parseEther(ether),
    gas: 21_000n,
    maxFeePerGas: parseGwei('30'),
    maxPriorityFeePerGas: parseGwei('1'),
  }).slice(2);
  return {
    key,
    algorithm: 'ecdsa-secp256k1',
    payload: { kind: 'ethereum-transaction', transaction },
  };
}

let place: DecisionNode;
let client: NodeClient;

beforeAll(async () => {
  place = await DecisionNode.open(
    ['ethereum', 'brief', 'counted'].map((id) => ({ id, type: 'secp256k1', networks: [ETHEREUM] })),
    [
      permitTransfers('transfers', 'ethereum', 'ethereum-transaction', {
        effects: [
          {
            type: 'transfer',
            to: { books: [], addresses: [`${ETHEREUM}:${RECIPIENT}`] },
            assets: [ETHER],
            contracts: null,
            amount: null,
          },
        ],
        tiers: [
          {
            asset: ETHER,
            steps: [
              { max: String(parseEther('1')), approvals: null },
              { max: null, approvals: byTreasury(600) },
            ],
          },
        ],
      }),
      permitTransfers('brief', 'brief', 'ethereum-transaction', { approvals: byTreasury(10) }),
      permitTransfers('counted', 'counted', 'ethereum-transaction', {
        limits: [
          {
            id: 'daily',
            asset: ETHER,
            max: String(parseEther('3')),
            seconds: 86_400,
            per: 'key',
            fees: false,
          },
        ],
        approvals: byTreasury(600),
      }),
    ],
  );
  await place.start();
  client = await place.connect();
});

afterAll(() => place.close());

describe('a transfer above the tier', () => {
  it('waits, is approved by two people, and is signed once: every later call gives the same signature', async () => {
    expect(await codeOf(client.sign(transfer('1')))).toBe('SIGNED');
    const request = transfer('1.5');
    const error: unknown = await client.sign(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ClientError);
    const { id, rule, receipt } = (error as ClientError).details as {
      id: string;
      rule: string;
      receipt: Receipt;
    };
    expect(rule).toBe('transfers');
    const waiting = await client.verifyReceipt(request, { receipt });
    expect(waiting.entry.predicate).toMatchObject({ outcome: 'pending', pendingId: id, signatures: [] });
    // The same request again waits under the same id.
    expect(await waitingId(client.sign(request))).toBe(id);

    const shown = await place.review(id);
    expect(shown.transaction).toMatchObject({
      effects: [{ type: 'transfer', to: RECIPIENT, amount: String(parseEther('1.5')) }],
    });
    expect(await codeOf(client.resume(id))).toBe('APPROVALS_NEEDED');
    expect(await place.vote(id, place.alice)).toBe('waiting 1');
    expect(await place.vote(id, place.alice)).toBe('APPROVAL_REPEATED');
    expect(await codeOf(client.resume(id))).toBe('APPROVALS_NEEDED');
    expect(await place.vote(id, place.bob)).toBe('waiting 2');

    const first = await client.resume(id);
    const { entry } = await client.verifyReceipt(request, first);
    expect(entry.predicate).toMatchObject({
      outcome: 'permitted',
      rule: 'transfers',
      approvals: [{ approver: 'alice' }, { approver: 'bob' }],
    });
    const again = await client.resume(id);
    expect(again.signature).toBe(first.signature);
    await client.verifyReceipt(request, again);
    expect(await place.vote(id, place.carol)).toBe('REQUEST_DONE');
    expect((await client.getRequest(id)).state).toBe('done');
  });

  it('is signed once by calls at the same time', async () => {
    const id = await waitingId(client.sign(transfer('1.6')));
    await place.vote(id, place.alice);
    await place.vote(id, place.bob);
    const all = await Promise.all(Array.from({ length: 8 }, () => client.resume(id)));
    expect(new Set(all.map(({ signature }) => signature)).size).toBe(1);
  });

  it('ends with one rejection, also of somebody who had approved', async () => {
    const id = await waitingId(client.sign(transfer('1.7')));
    expect(await place.vote(id, place.alice)).toBe('waiting 1');
    expect(await place.vote(id, place.bob)).toBe('waiting 2');
    expect(await place.vote(id, place.bob, { decision: 'reject' })).toBe('rejected 2');
    expect(await codeOf(client.resume(id))).toBe('REQUEST_REJECTED');
    expect(await place.vote(id, place.carol)).toBe('REQUEST_REJECTED');
    expect((await client.getRequest(id)).state).toBe('rejected');
  });

  it('expires', async () => {
    const id = await waitingId(client.sign(transfer('0.1', 'brief')));
    const { expires } = await client.getRequest(id);
    expect(await place.vote(id, place.alice)).toBe('waiting 1');
    const read = await place.review(id);
    await expect.poll(() => codeOf(client.getRequest(id)), { interval: 200 }).toBe('REQUEST_UNKNOWN');
    expect(Date.now()).toBeGreaterThanOrEqual(expires - 1000);
    expect(await codeOf(client.resume(id))).toBe('REQUEST_UNKNOWN');
    expect(await place.vote(id, place.bob, {}, read)).toBe('REQUEST_UNKNOWN');
  });

  it('is not approved by the person behind the client that asks', async () => {
    const id = await waitingId(client.sign(transfer('1.8')));
    expect(await place.vote(id, place.erin)).toBe('APPROVER_IS_REQUESTER');
    expect(await place.vote(id, place.alice, { approver: 'bob' })).toBe('APPROVER_UNKNOWN');
  });

  it('takes no approvals of another transaction', async () => {
    const [one, other] = [
      await waitingId(client.sign(transfer('1.9'))),
      await waitingId(client.sign(transfer('9'))),
    ];
    const read = await place.review(one);
    // A statement about the first request, sent to the second, and the second one's id with the digest of the first.
    expect(await place.vote(other, place.alice, { request: { id: one, digest: read.digest } })).toBe(
      'APPROVAL_OTHER_REQUEST',
    );
    expect(await place.vote(other, place.alice, { request: { id: other, digest: read.digest } })).toBe(
      'APPROVAL_OTHER_REQUEST',
    );
    expect((await client.getRequest(other)).votes).toEqual([]);
  });

  it('is of its client alone', async () => {
    const id = await waitingId(client.sign(transfer('2')));
    const desk = await place.connect('desk');
    expect(await codeOf(desk.getRequest(id))).toBe('REQUEST_UNKNOWN');
    expect(await codeOf(desk.resume(id))).toBe('REQUEST_UNKNOWN');
    expect(await desk.listRequests()).toEqual([]);
    expect(await codeOf(client.resume(UNKNOWN_ID))).toBe('REQUEST_UNKNOWN');
    expect((await client.listRequests()).map((request) => request.id)).toContain(id);
  });

  it('outlives a restart with its votes, its signatures, and what was spent', async () => {
    const spent = [await waitingId(client.sign(transfer('2', 'counted'))), '', ''];
    for (const person of [place.alice, place.bob]) await place.vote(spent[0] ?? '', person);
    const { signature } = await client.resume(spent[0] ?? '');
    const id = await waitingId(client.sign(transfer('2.1')));
    expect(await place.vote(id, place.alice)).toBe('waiting 1');

    client = await place.restart();

    expect((await client.getRequest(id)).votes).toMatchObject([{ approver: 'alice', decision: 'approve' }]);
    expect(await place.vote(id, place.alice)).toBe('APPROVAL_REPEATED');
    expect(await place.vote(id, place.bob)).toBe('waiting 2');
    expect(await codeOf(client.resume(id))).toBe('SIGNED');
    expect((await client.resume(spent[0] ?? '')).signature).toBe(signature);
    // Two of three are spent: the limit is not refreshed.
    expect(await codeOf(client.sign(transfer('1.000000000000000001', 'counted')))).toBe('LIMIT_EXCEEDED');
    const last = await waitingId(client.sign(transfer('1', 'counted')));
    for (const person of [place.alice, place.bob]) await place.vote(last, person);
    expect(await codeOf(client.resume(last))).toBe('SIGNED');
    expect(await codeOf(client.sign(transfer('0.000000000000000001', 'counted')))).toBe('LIMIT_EXCEEDED');
  });
});

describe('receipts', () => {
  it('of a denial say why in words', async () => {
    const request = transfer('0.5', 'ethereum', '0x000000000000000000000000000000000000dEaD');
    const error: unknown = await client.sign(request).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NodeRefusal);
    const { code, receipt } = error as NodeRefusal;
    expect(code).toBe('POLICY_DENIED');
    const { entry } = await client.verifyReceipt(request, { receipt });
    expect(entry.predicate).toMatchObject({ outcome: 'denied', code: 'POLICY_DENIED', rule: null });
    const { reasons } = entry.predicate as { reasons: { rule: string; condition: string; words: string }[] };
    expect(reasons.map(({ rule, condition }) => [rule, condition])).toContainEqual(['transfers', 'to']);
    for (const { words } of reasons) expect(words).toMatch(/\w+ \w+/);
  });

  it('of a transaction that cannot be read say so', async () => {
    const request = transfer('0.5');
    const cut = { ...request, payload: { kind: 'ethereum-transaction', transaction: '02c0' } } as const;
    const error: unknown = await client.sign(cut).catch((reason: unknown) => reason);
    expect((error as NodeRefusal).code).toBe('TRANSACTION_MALFORMED');
    const { entry } = await client.verifyReceipt(cut, { receipt: (error as NodeRefusal).receipt });
    expect(entry.predicate).toMatchObject({ outcome: 'denied', transaction: null });
  });

  it('are of their own request, signature, node and boot', async () => {
    const request = transfer('0.25');
    const response = await client.sign(request);
    const other = await client.sign(transfer('0.25'));
    const code = (subject: SignRequest, answer: object) =>
      client.verifyReceipt(subject, answer).then(
        () => 'VERIFIED',
        (error: unknown) => (error instanceof ReceiptError ? error.code : String(error)),
      );
    expect(await code(request, response)).toBe('VERIFIED');
    expect(await code(transfer('0.25'), response)).toBe('RECEIPT_OTHER_REQUEST');
    expect(await code(request, { ...response, signature: other.signature })).toBe('RECEIPT_OTHER_SIGNATURE');
    expect(await code(request, { ...response, receipt: other.receipt })).toBe('RECEIPT_OTHER_REQUEST');
    expect(await code(request, { signature: response.signature })).toBe('RECEIPT_MALFORMED');
    client = await place.restart();
    expect(await code(request, response)).toBe('RECEIPT_OTHER_BOOT');
  });

  it('are verified by the command, and refused where anything was altered', async () => {
    const { scenario } = place;
    const folder = scenario.testNode.directory;
    const file = (name: string) => join(folder, name);
    const request = transfer('0.75');
    const { receipt, signature } = await client.sign(request);
    if (receipt === undefined) throw new TypeError('expected a receipt');
    const kept = documentReceipt(receipt, await client.attest());
    await writeFile(file('receipt.json'), JSON.stringify(kept));
    await writeFile(file('request.json'), JSON.stringify({ operation: 'sign', client: CLIENT, ...request }));
    await writeFile(file('pcr.json'), formatPcrFile(scenario.pcrs));
    const root = Buffer.from(scenario.testbed.host.rootCertificate);
    await writeFile(file('root.der'), root);
    const verify = async (receiptFile: string, ...more: string[]) => {
      const files = ['--pcrs', file('pcr.json'), '--manifest', scenario.testNode.manifestPath];
      const args = ['receipt', 'verify', file(receiptFile), ...files, '--root', file('root.der'), ...more];
      const { exit, out, err } = await runHoldfast([...args, '--json']);
      const { ok, error } = JSON.parse(out === '' ? err : out) as { ok: boolean; error?: { code: string } };
      return ok ? `VERIFIED ${exit}` : (error?.code ?? '');
    };
    const subject = ['--request', file('request.json'), '--signature', signature];
    const configuration = ['--configuration', scenario.testNode.configurationPath];
    expect(await verify('receipt.json', ...subject, ...configuration, '--in-log')).toBe('VERIFIED 0');
    expect(await verify('receipt.json', '--signature', '00'.repeat(64))).toBe('RECEIPT_OTHER_SIGNATURE');

    const entry = JSON.parse(Buffer.from(kept.envelope.payload, 'base64').toString()) as {
      predicate: { rule: string };
    };
    entry.predicate.rule = 'brief';
    const payload = Buffer.from(JSON.stringify(entry)).toString('base64');
    await writeFile(
      file('altered.json'),
      JSON.stringify({ ...kept, envelope: { ...kept.envelope, payload } }),
    );
    expect(await verify('altered.json')).toBe('RECEIPT_SIGNATURE_INVALID');
  });
});

describe('the command', () => {
  it('signs, says what a request waits for, resumes it, and keeps the receipts', async () => {
    const { testbed, testNode, pcrs } = place.scenario;
    const file = (name: string) => join(testNode.directory, name);
    await writeFile(file('pcr.json'), formatPcrFile(pcrs));
    const root = Buffer.from(testbed.host.rootCertificate).toString('base64');
    await writeFile(file('root.pem'), `-----BEGIN CERTIFICATE-----\n${root}\n-----END CERTIFICATE-----\n`);
    const trust = [
      '--pcrs',
      file('pcr.json'),
      '--manifest',
      testNode.manifestPath,
      '--root',
      file('root.pem'),
    ];
    const caller = ['--url', place.url, ...trust, '--client', CLIENT, '--key', testNode.client.path];
    const verify = async () => {
      const { exit } = await runHoldfast(['receipt', 'verify', file('kept.json'), ...trust, '--in-log']);
      return exit;
    };
    const { payload } = transfer('3');
    if (payload.kind !== 'ethereum-transaction') throw new TypeError('expected a transaction');
    await writeFile(file('unsigned.hex'), payload.transaction);
    const unsigned = ['--kind', payload.kind, '--transaction', file('unsigned.hex')];
    const keep = ['--receipt', file('kept.json')];

    const waits = await runHoldfast(['node', 'sign', 'ethereum', ...unsigned, ...caller, ...keep]);
    expect(waits.exit).toBe(1);
    const words = waits.out + waits.err;
    expect(words).toMatch(
      /APPROVALS_NEEDED[^]*transfers[^]*2 of treasury: alice, bob, carol, erin[^]*expires/,
    );
    expect(await verify()).toBe(0);
    const [id = ''] = /[0-9a-f]{32}/.exec(words) ?? [];
    const asJson = await runHoldfast(['node', 'resume', id, ...caller, '--json']);
    expect(refusalIn(asJson)).toMatchObject({ exit: 1, code: 'APPROVALS_NEEDED', details: { id } });

    for (const person of [place.alice, place.bob]) await place.vote(id, person);
    const listed = await runHoldfast(['node', 'requests', ...caller]);
    expect(listed.out).toMatch(new RegExp(`${id}  waiting[^]*alice approves, bob approves`));
    const resumed = await runHoldfast(['node', 'resume', id, ...caller, ...keep]);
    expect(resumed.exit).toBe(0);
    expect(resumed.out).toMatch(/^[0-9a-f]{128}\n/);
    expect(await verify()).toBe(0);
  });
});

describe("the parent's log", () => {
  it('verifies whole, with every decision in it', async () => {
    await expect.poll(async () => (await status()).published).toBe((await status()).size);
    const { origin, key, size } = await status();
    const { exit, out } = await runHoldfast([
      'audit',
      'verify',
      place.log,
      '--origin',
      origin,
      '--key',
      key,
      '--json',
    ]);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, size });
    const checkpoint = await readFile(join(place.log, 'checkpoint'), 'utf8');
    expect(checkpoint.split('\n').slice(0, 2)).toEqual([origin, String(size)]);
  });
});

async function status(): Promise<{ origin: string; key: string; size: number; published: number }> {
  const response = await fetch(`${place.node?.parent.statusUrl}/status`);
  return ((await response.json()) as { auditLog: Awaited<ReturnType<typeof status>> }).auditLog;
}
