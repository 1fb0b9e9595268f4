import { expect, it } from 'vitest';
import { commitAnswer } from '../../../../enclave/quorum/signing/messages.ts';
import { readReceipt, refusalOf } from './calls.ts';
import { QuorumTestbed } from './quorum-testbed.ts';

/** Has nodes answer with shares that are wrong: the encoding of an answer is altered in place. */
function corrupt(
  testbed: QuorumTestbed,
  nodes: readonly number[],
  alter: (share: Uint8Array, node: number) => void,
): void {
  testbed.network.onAnswer = ({ to, kind, body }) => {
    if (kind !== 'sign' || !nodes.includes(to)) return true;
    const at = Buffer.from(body).indexOf('shares');
    if (at >= 0) alter(body.subarray(at + 'shares'.length + 2, at + 'shares'.length + 2 + 32), to);
    return true;
  };
}

/** Alters a share by another amount for each node: errors that add up to zero would make a valid signature. */
const addSome = (share: Uint8Array, node: number) => {
  share[node] = (share[node] ?? 0) ^ 1;
};

it('names every node whose share is wrong, and signs without them', async () => {
  const testbed = await QuorumTestbed.start({ threshold: 3, size: 5 });
  corrupt(testbed, [2, 3], addSome);
  const signed = await testbed.node(1).sign();
  expect(readReceipt(signed.receipt)).toMatchObject({
    failure: null,
    quorum: {
      participants: [1, 4, 5],
      excluded: [
        { node: 2, code: 'QUORUM_SHARE_INVALID' },
        { node: 3, code: 'QUORUM_SHARE_INVALID' },
      ],
    },
  });
});

it.each([
  ['another share', addSome],
  ['a share that is no scalar', (share: Uint8Array) => share.fill(255)],
])('signs nothing with %s where too few other nodes are left, and says whose it was', async (_, alter) => {
  const testbed = await QuorumTestbed.start();
  corrupt(testbed, [2, 3], alter);
  const refusal = await refusalOf(testbed.node(1).sign());
  expect(refusal.code).toBe('QUORUM_SHARE_INVALID');
  expect((refusal.cause as { details: { nodes: number[] } }).details.nodes.toSorted((a, b) => a - b)).toEqual(
    [2, 3],
  );
  expect(refusal.receipts).toHaveLength(2);
});

it('goes on without a node whose answer is none, or of another list', async () => {
  const testbed = await QuorumTestbed.start();
  testbed.network.onAnswer = ({ to, kind, body }) => {
    if (kind !== 'sign' || to !== 2) return true;
    body[0] = 0xff;
    return true;
  };
  const signed = await testbed.node(1).sign();
  expect(readReceipt(signed.receipt)).toMatchObject({
    quorum: { participants: [1, 3], excluded: [{ node: 2, code: 'QUORUM_MESSAGE_MALFORMED' }] },
  });
});

it.each([
  ['no elements', (commitments: Uint8Array) => commitments.fill(0xff)],
  ['the same element twice', (commitments: Uint8Array) => commitments.copyWithin(32, 0, 32)],
])('goes on without a node that has committed to %s, and blames no other', async (_, alter) => {
  const testbed = await QuorumTestbed.start({ threshold: 3, size: 4 });
  testbed.network.onAnswer = ({ to, kind, body }) => {
    if (kind !== 'sign/commit' || to !== 2) return true;
    const answer = commitAnswer.decode(body.slice());
    for (const { commitments } of answer.keys) {
      for (let at = 0; at < commitments.length; at += 64) alter(commitments.subarray(at, at + 64));
    }
    body.set(commitAnswer.encode(answer));
    return true;
  };
  const signed = await testbed.node(1).sign();
  expect(readReceipt(signed.receipt)).toMatchObject({
    failure: null,
    quorum: { participants: [1, 3, 4], excluded: [{ node: 2, code: 'QUORUM_SHARE_INVALID' }] },
  });
});
