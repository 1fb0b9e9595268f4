import { describe, expect, it } from 'vitest';
import { readReceipt, refusalOf, watchCalls } from './calls.ts';
import { QuorumTestbed } from './quorum-testbed.ts';

async function sign(testbed: QuorumTestbed, node = 1) {
  const signed = await testbed.node(node).sign();
  if (signed.outcome === 'pending') throw new TypeError('expected a signature');
  const predicate = readReceipt(signed.receipt);
  return { ...signed, quorum: 'quorum' in predicate ? predicate.quorum : undefined };
}

describe('with nodes missing', () => {
  it('signs without a node that is down', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.node(2).crash();
    expect((await sign(testbed)).quorum?.participants).toEqual([1, 3]);
  });

  it('says which nodes were missing where fewer than the threshold are left, and records the failure', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.node(2).crash();
    testbed.node(3).crash();
    const refusal = await refusalOf(testbed.node(1).sign());
    expect(refusal.code).toBe('QUORUM_UNREACHABLE');
    expect(refusal.cause).toMatchObject({
      details: {
        nodes: [
          { node: 2, code: 'PEER_UNREACHABLE' },
          { node: 3, code: 'PEER_UNREACHABLE' },
        ],
      },
    });
    expect(readReceipt(refusal.receipt)).toMatchObject({ failure: 'QUORUM_UNREACHABLE', signatures: [] });
  });

  it('goes on without a node that does not answer in time, and asks it last the next time', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.node(2).gate = () => new Promise(() => undefined);
    const start = performance.now();
    expect((await sign(testbed)).quorum?.participants).toEqual([1, 3]);
    const first = performance.now() - start;
    expect(first).toBeGreaterThan(200);
    const seen = watchCalls(testbed);
    expect((await sign(testbed)).quorum?.participants).toEqual([1, 3]);
    expect(seen.map(({ to }) => to)).toEqual([3]);
  });

  it('goes on without a node that agrees and then dies before its share arrives', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.network.onAnswer = ({ to, kind }) => {
      const isLost = kind === 'sign' && to === 2;
      if (isLost) testbed.node(2).crash();
      return !isLost;
    };
    expect((await sign(testbed)).quorum?.participants).toEqual([1, 3]);
    expect(testbed.node(2).entries).toHaveLength(1);
  });

  it('signs with a node that has restarted between the rounds, by new nonces', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.node(3).crash();
    await sign(testbed);
    const { pipeline } = testbed.node(1).running;
    expect(pipeline.countCommitments('treasury')).toContainEqual({ node: 2, count: 16 });
    await testbed.node(2).start();
    expect((await sign(testbed)).quorum).toMatchObject({ participants: [1, 2], excluded: [] });
  });

  it('signs with a node that has restarted after the request was sent', async () => {
    const testbed = await QuorumTestbed.start();
    testbed.node(3).crash();
    await sign(testbed);
    let isFirst = true;
    testbed.network.onDelivery = ({ kind }) => {
      if (kind !== 'sign' || !isFirst) return true;
      isFirst = false;
      void testbed.node(2).start();
      return false;
    };
    await expect(sign(testbed)).rejects.toMatchObject({ code: 'QUORUM_UNREACHABLE' });
    // The next request finds the node again.
    expect((await sign(testbed)).quorum?.participants).toEqual([1, 2]);
  });
});

describe('at the same time', () => {
  it('signs many requests of two coordinators, each once, in few calls', async () => {
    // In a time that stands still no node is slow, however busy the machine is.
    const testbed = await QuorumTestbed.start({ timer: { now: () => 0, after: () => () => undefined } });
    const seen = watchCalls(testbed);
    const results = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const payload = { kind: 'message', message: index.toString(16).padStart(4, '0') } as const;
        return await testbed.node(1 + (index % 2)).sign({ payload });
      }),
    );
    expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => 'permitted'));
    const carried = seen.reduce((sum, { entries }) => sum + entries.length, 0);
    expect(carried).toBe(12);
    expect(seen.length).toBeLessThan(carried);
    const commitments = seen.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.package.map((one) => Buffer.from(one.commitments).toString('hex'))),
    );
    expect(new Set(commitments).size).toBe(commitments.length);
  });
});
