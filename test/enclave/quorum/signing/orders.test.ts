import { expect, it } from 'vitest';
import { PREDICATE_TYPES } from '../../../../audit/receipt/entry.ts';
import type { CeremonyOrder } from '../../../../enclave/quorum/index.ts';
import { refusalOf } from './calls.ts';
import { KEY, QuorumTestbed } from './quorum-testbed.ts';

const TARGET = `/v1/quorum/keys/${KEY}/reshare`;
const toThreshold = (threshold: number): CeremonyOrder => ({
  kind: 'reshare',
  key: KEY,
  participants: [1, 2, 3],
  threshold,
});

/** Digests of the requests that a node has permitted a ceremony for. */
function digestsOf(testbed: QuorumTestbed, node: number): unknown[] {
  const decisions = testbed
    .node(node)
    .entries.filter(({ predicateType }) => predicateType === PREDICATE_TYPES.decision);
  return decisions.map(({ subject: [{ digest }] }) => digest);
}

it('names two reshares with other thresholds by other digests, the same ones on every node', async () => {
  const testbed = await QuorumTestbed.start({
    hasCeremonies: true,
    rule: () => ({ operations: ['reshare'] }),
  });
  for (const threshold of [3, 2, 3])
    expect(await testbed.node(1).order(TARGET, toThreshold(threshold))).toBe('done');
  const digests = digestsOf(testbed, 1);
  expect(digests).toHaveLength(3);
  expect(digests[1]).not.toEqual(digests[0]);
  expect(digests[2]).toEqual(digests[0]);
  for (const node of [2, 3]) expect(digestsOf(testbed, node)).toEqual(digests);
});

it('denies a ceremony whose rule asks for approvals, and says that it cannot wait for them', async () => {
  const testbed = await QuorumTestbed.start({
    hasCeremonies: true,
    rule: () => ({
      operations: ['reshare'],
      approvals: { all: [{ group: 'people', count: 1 }], expiresSeconds: 600 },
    }),
  });
  const refusal = await refusalOf(testbed.node(1).order(TARGET, toThreshold(3)));
  expect(refusal.code).toBe('APPROVALS_NOT_AWAITED');
  const [entry] = testbed.node(1).entries;
  expect(entry?.predicate).toMatchObject({
    outcome: 'denied',
    code: 'APPROVALS_NOT_AWAITED',
    reasons: [{ rule: 'payouts', condition: 'approvals' }],
  });
  expect(testbed.node(1).epoch).toBe(0);
});
