import { describe, expect, it } from 'vitest';
import { FailedRequest } from '../../../../enclave/signing/index.ts';
import {
  callOnce,
  captureEntry,
  readAnswered,
  readReceipt,
  refusalOf,
  signWithSameNonce,
  takeNewNonces,
} from './calls.ts';
import { QuorumTestbed } from './quorum-testbed.ts';

describe('a node that disagrees', () => {
  it('denies by its own rules: nothing is signed, and its receipt comes back as evidence', async () => {
    const rule = (node: number) => (node === 1 ? {} : { payloads: ['solana-transaction'] });
    const testbed = await QuorumTestbed.start({ rule });
    const refusal = await refusalOf(testbed.node(1).sign());
    expect(refusal).toBeInstanceOf(FailedRequest);
    expect(refusal.code).toBe('QUORUM_DENIED');
    expect(readReceipt(refusal.receipt)).toMatchObject({ outcome: 'permitted', failure: 'QUORUM_DENIED' });
    expect(refusal.receipts).toHaveLength(1);
    expect(readReceipt(refusal.receipts[0])).toMatchObject({
      node: { index: 2 },
      outcome: 'denied',
      code: 'POLICY_DENIED',
      quorum: { coordinator: 1, participants: [1, 2] },
    });
  });

  it('has decided otherwise than the coordinator says: its receipt has the mismatch', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    const answer = await callOnce(testbed, 1, 2, { ...entry, decision: new Uint8Array(32) });
    if (answer.outcome !== 'denied') throw new TypeError(`expected a denial, found ${answer.outcome}`);
    expect(answer.code).toBe('QUORUM_DECISION_MISMATCH');
    expect(readAnswered(answer.receipt)).toMatchObject({ failure: 'QUORUM_DECISION_MISMATCH' });
  });
});

describe('a participant', () => {
  it('charges a request once, however often its coordinator says that it has decided otherwise', async () => {
    const testbed = await QuorumTestbed.start({ rule: () => ({ rate: { count: 2, seconds: 3600 } }) });
    testbed.ahead = 7_200_000;
    const entry = await captureEntry(testbed, 1, 2);
    for (let tried = 0; tried < 3; tried += 1) {
      const lie = {
        ...(await takeNewNonces(testbed, 1, 2, entry)),
        decision: new Uint8Array(32).fill(tried),
      };
      expect(await callOnce(testbed, 1, 2, lie)).toMatchObject({ code: 'QUORUM_DECISION_MISMATCH' });
    }
    const body = { key: 'treasury', algorithm: 'frost-ed25519', payload: { kind: 'message', message: 'ff' } };
    const request = testbed.node(1).forward('/v1/sign', body);
    // Decided alike or not, the second request is the second one to be charged.
    expect(
      await callOnce(testbed, 1, 2, await takeNewNonces(testbed, 1, 2, { ...entry, request })),
    ).toMatchObject({ code: 'QUORUM_DECISION_MISMATCH' });
  });

  it('takes no request that its client has signed for another node, whoever forwards it', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    await testbed.node(3).start();
    await testbed.settle();
    expect(await callOnce(testbed, 3, 2, entry)).toMatchObject({
      outcome: 'unable',
      code: 'SESSION_MISMATCH',
    });
    expect(testbed.node(2).entries).toEqual([]);
  });

  it('takes no request that another than its client has signed', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    const body = { key: 'treasury', algorithm: 'frost-ed25519', payload: { kind: 'message', message: 'ff' } };
    const { privateKey } = testbed.stranger;
    const request = testbed.node(1).forward('/v1/sign', body, { privateKey });
    expect(await callOnce(testbed, 1, 2, { ...entry, request })).toMatchObject({ code: 'SIGNATURE_INVALID' });
    const altered = { ...entry.request, body: new Uint8Array(Buffer.from(JSON.stringify(body))) };
    expect(await callOnce(testbed, 1, 2, { ...entry, request: altered })).toMatchObject({
      code: 'DIGEST_MISMATCH',
    });
    const explain = testbed.node(1).forward('/v1/explain', body);
    expect(await callOnce(testbed, 1, 2, { ...entry, request: explain })).toMatchObject({
      code: 'QUORUM_MESSAGE_MALFORMED',
    });
    testbed.now += 61_000;
    expect(await callOnce(testbed, 1, 2, entry)).toMatchObject({ code: 'SIGNATURE_EXPIRED' });
    expect(testbed.node(2).entries).toEqual([]);
  });

  it('signs no second time with nonces, nor with those of another coordinator', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    const first = await callOnce(testbed, 1, 2, entry);
    expect(first.outcome).toBe('share');
    expect(await callOnce(testbed, 1, 2, entry)).toEqual(first);
    expect(testbed.node(2).entries).toHaveLength(1);
    const body = { key: 'treasury', algorithm: 'frost-ed25519', payload: { kind: 'message', message: 'ff' } };
    const other = { ...entry, request: testbed.node(1).forward('/v1/sign', body) };
    // The same package for another request, and another package for the same request.
    expect(await callOnce(testbed, 1, 2, other)).toMatchObject({ code: 'QUORUM_NONCES_UNKNOWN' });
    const package_ = entry.package.map((one, index) =>
      index === 0 ? { ...one, commitments: new Uint8Array(one.commitments).fill(1) } : one,
    );
    expect(await callOnce(testbed, 1, 2, { ...entry, package: package_ })).toMatchObject({
      code: 'QUORUM_NONCES_UNKNOWN',
    });
    await testbed.node(3).start();
    await testbed.settle();
    const theirs = testbed.node(3).forward('/v1/sign', body);
    const swapped = entry.package.map((one) => (one.participant === 1 ? { ...one, participant: 3 } : one));
    const stolen = { ...entry, request: theirs, package: swapped.toReversed() };
    expect(await callOnce(testbed, 3, 2, stolen)).toMatchObject({ outcome: 'unable' });
    expect(testbed.node(2).entries).toHaveLength(1);
  });

  it('decides each request by itself, though its client has signed two with one nonce', async () => {
    const rule = (node: number) => (node === 2 ? { rate: { count: 1, seconds: 3600 } } : {});
    const testbed = await QuorumTestbed.start({ rule });
    testbed.ahead = 7_200_000;
    const entry = await captureEntry(testbed, 1, 2);
    const payload = { kind: 'message', message: 'ff' } as const;
    const { decision } = await captureEntry(testbed, 1, 2, { payload });
    expect((await callOnce(testbed, 1, 2, entry)).outcome).toBe('share');
    const request = signWithSameNonce(testbed, entry.request, payload.message);
    const other = await takeNewNonces(testbed, 1, 2, { ...entry, request, decision });
    expect(await callOnce(testbed, 1, 2, other)).toMatchObject({ outcome: 'denied', code: 'RATE_LIMITED' });
  });

  it('signs with no list that is not of the threshold, in order, with itself and the coordinator', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    const [one, two] = entry.package;
    if (one === undefined || two === undefined) throw new RangeError('expected two signers');
    const three = { ...two, participant: 3 };
    const lists = [
      [two, one],
      [one, one],
      [one, two, three],
      [one, three],
      [two, three],
      [{ ...one, participant: 9 }, two],
      [one, { ...two, commitments: two.commitments.slice(0, 64 - 1) }],
      [one, { ...two, commitments: new Uint8Array(128) }],
    ];
    for (const list of lists) {
      const answer = await callOnce(testbed, 1, 2, { ...entry, package: list }).catch(() => undefined);
      expect(answer?.outcome).not.toBe('share');
      expect([undefined, 'QUORUM_PACKAGE_INVALID']).toContain(
        answer && 'code' in answer ? answer.code : undefined,
      );
    }
    expect(testbed.node(2).entries).toEqual([]);
    expect((await callOnce(testbed, 1, 2, entry)).outcome).toBe('share');
  });

  it('signs for no other epoch or group than its own', async () => {
    const testbed = await QuorumTestbed.start();
    const entry = await captureEntry(testbed, 1, 2);
    for (const change of [{ epoch: 1 }, { group: '00'.repeat(48) }]) {
      expect(await callOnce(testbed, 1, 2, { ...entry, ...change })).toMatchObject({
        outcome: 'unable',
        code: 'QUORUM_EPOCH_MISMATCH',
        epoch: 0,
      });
    }
    expect(testbed.node(2).entries).toEqual([]);
  });

  it('says with which list it has signed: a coordinator that shows nodes different ones is seen', async () => {
    const testbed = await QuorumTestbed.start({ threshold: 3 });
    const seen: Uint8Array[] = [];
    const { network } = testbed;
    network.onDelivery = ({ to, kind, body }) => {
      // In place: the node is shown another hiding commitment of the coordinator than the others.
      if (kind === 'sign' && to === 3) flipFirstCommitment(body);
      if (kind === 'sign') seen.push(body);
      return true;
    };
    const refusal = await refusalOf(testbed.node(1).sign());
    expect(refusal.code).toBe('QUORUM_UNREACHABLE');
    expect(seen.length).toBeGreaterThanOrEqual(2);
    const packages = refusal.receipts
      .map(readReceipt)
      .map((predicate) => ('quorum' in predicate ? predicate.quorum?.package : undefined));
    expect(new Set(packages).size).toBe(2);
  });
});

/** Alters a commitment in the encoding of a call: the bytes after the text `commitments` and the head of a byte string. */
function flipFirstCommitment(body: Uint8Array): void {
  const at = Buffer.from(body).indexOf('commitments');
  const start = at + 'commitments'.length + 2;
  body[start + 3] = (body[start + 3] ?? 0) ^ 1;
}
