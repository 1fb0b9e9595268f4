import { describe, expect, it } from 'vitest';
import { errorCode } from '../../../../shared/errors.ts';
import { callOnce, readReceipt, refusalOf, takeNewNonces, watchCalls } from './calls.ts';
import { type Change, QuorumTestbed } from './quorum-testbed.ts';

const HOUR_SECONDS = 3600;
const approvals = (count = 1, expiresSeconds = HOUR_SECONDS) => ({
  approvals: { all: [{ group: 'people', count }], expiresSeconds },
});

async function startWaiting(
  rule: (node: number) => Change = () => approvals(),
  configuration?: (node: number) => Change,
) {
  const testbed = await QuorumTestbed.start({
    rule,
    ...(configuration === undefined ? {} : { configuration }),
  });
  const waiting = await testbed.node(1).sign();
  if (waiting.outcome !== 'pending') throw new TypeError('expected a request that waits');
  return { testbed, id: waiting.id };
}

describe('a request that waits for people at one node', () => {
  it('is signed by the others too once they have approved it there', async () => {
    const { testbed, id } = await startWaiting();
    expect(testbed.node(2).entries).toEqual([]);
    await testbed.node(1).vote(id, testbed.alice);
    // Longer than any signature of a request lives.
    testbed.now += 30 * 60_000;
    const signed = await testbed.node(1).resume(id);
    if (signed.outcome !== 'permitted') throw new TypeError('expected a signature');
    expect(readReceipt(signed.receipts[0])).toMatchObject({
      node: { index: 2 },
      outcome: 'permitted',
      pendingId: id,
      approvals: [{ approver: 'alice', decision: 'approve' }],
    });
  });

  it('is signed after its node has restarted, whose votes and request are sealed', async () => {
    const { testbed, id } = await startWaiting();
    await testbed.node(1).vote(id, testbed.alice);
    await testbed.node(1).start();
    await testbed.settle();
    expect((await testbed.node(1).resume(id)).outcome).toBe('permitted');
  });

  it('is signed where it is resumed again after a failure', async () => {
    const { testbed, id } = await startWaiting();
    await testbed.node(1).vote(id, testbed.alice);
    testbed.node(3).crash();
    testbed.network.onAnswer = ({ kind }) => kind !== 'sign';
    expect(await testbed.node(1).resume(id).catch(errorCode)).toBe('QUORUM_UNREACHABLE');
    testbed.network.onAnswer = () => true;
    expect((await testbed.node(1).resume(id)).outcome).toBe('permitted');
    expect(testbed.node(2).entries.length).toBeGreaterThanOrEqual(2);
  });
});

describe('votes that another node has forwarded', () => {
  it('have their request charged once, whatever end the coordinator says that it has', async () => {
    const rate = { count: 1, seconds: HOUR_SECONDS };
    const { testbed, id } = await startWaiting((node) => ({
      ...approvals(),
      ...(node === 2 ? { rate } : {}),
    }));
    testbed.ahead = 2 * HOUR_SECONDS * 1000;
    await testbed.node(1).vote(id, testbed.alice);
    testbed.node(3).crash();
    const seen = watchCalls(testbed);
    const { onDelivery } = testbed.network;
    testbed.network.onDelivery = (delivery) => onDelivery(delivery) && delivery.kind !== 'sign';
    testbed.node(1).resume(id).catch(errorCode);
    while (seen.length === 0) await new Promise(setImmediate);
    testbed.network.onDelivery = () => true;
    const entry = seen[0]?.entries[0];
    if (entry === undefined || entry.consent === null) throw new RangeError('expected votes');
    const again = async () => await takeNewNonces(testbed, 1, 2, entry);
    const lie = { ...(await again()), consent: { ...entry.consent, expires: 0 } };
    expect(await callOnce(testbed, 1, 2, lie)).toMatchObject({ outcome: 'denied' });
    expect(await callOnce(testbed, 1, 2, await again())).toMatchObject({ outcome: 'share' });
    testbed.now += 20_000;
    expect(await callOnce(testbed, 1, 2, await again())).toMatchObject({ outcome: 'share' });
  });

  /** Has the request approved at node 1 and carried out, and returns what node 2 has answered. */
  async function deniedCode({
    testbed,
    id,
  }: Awaited<ReturnType<typeof startWaiting>>): Promise<string | null> {
    const refusal = await refusalOf(testbed.node(1).resume(id));
    expect(refusal.code).toBe('QUORUM_DENIED');
    const predicate = readReceipt(refusal.receipts[0]);
    if (!('outcome' in predicate)) throw new TypeError('expected a decision');
    expect(predicate).toMatchObject({ node: { index: 2 }, outcome: 'denied' });
    return predicate.code;
  }

  it('do not suffice where this node asks for more people', async () => {
    const started = await startWaiting((node) => approvals(node === 1 ? 1 : 2));
    await started.testbed.node(1).vote(started.id, started.testbed.alice);
    expect(await deniedCode(started)).toBe('POLICY_DENIED');
    // A second person approves at the node that was asked, and the same request is decided again.
    await started.testbed.node(1).vote(started.id, started.testbed.bob);
    expect((await started.testbed.node(1).resume(started.id)).outcome).toBe('permitted');
  });

  it('do not count where this node does not know the person, or does not ask them', async () => {
    const others = (node: number): Change =>
      node === 1 ? {} : { approverGroups: [{ id: 'people', approvers: ['bob'] }] };
    const started = await startWaiting(undefined, others);
    await started.testbed.node(1).vote(started.id, started.testbed.alice);
    expect(await deniedCode(started)).toBe('APPROVER_NOT_ASKED');
  });

  it('do not count where they are for a rule of another name', async () => {
    const started = await startWaiting((node) => ({ ...approvals(), id: node === 1 ? 'payouts' : 'others' }));
    await started.testbed.node(1).vote(started.id, started.testbed.alice);
    expect(await deniedCode(started)).toBe('APPROVAL_OTHER_RULE');
  });

  it('do not count longer than the rule of this node lets requests wait', async () => {
    const started = await startWaiting((node) => approvals(1, node === 1 ? 2 * HOUR_SECONDS : HOUR_SECONDS));
    await started.testbed.node(1).vote(started.id, started.testbed.alice);
    expect(await deniedCode(started)).toBe('APPROVAL_EXPIRED');
  });

  it('do not count of the person behind the client by this node', async () => {
    const behind = (node: number): Change => (node === 1 ? {} : { person: 'alice' });
    const started = await startWaiting(undefined, behind);
    await started.testbed.node(1).vote(started.id, started.testbed.alice);
    expect(await deniedCode(started)).toBe('APPROVER_IS_REQUESTER');
  });

  it('do not count for another node than the one that coordinates, nor for another request', async () => {
    const { testbed, id } = await startWaiting();
    await testbed.node(1).vote(id, testbed.alice);
    const second = await testbed.node(1).sign({ payload: { kind: 'message', message: 'ff' } });
    if (second.outcome !== 'pending') throw new TypeError('expected a request that waits');
    const { state } = testbed.node(1).running;
    const [vote] = state.requests.find(id).votes;
    if (vote === undefined) throw new RangeError('expected a vote');
    const { statement, proof } = vote;
    const forward = async (coordinator: number, of: string) => {
      const found = state.requests.find(of);
      const resume = testbed.node(coordinator).forward(`/v1/requests/${of}`, {});
      return await testbed
        .node(coordinator)
        .coordinate(found, { id: of, expires: found.request.expires, resume, votes: [{ statement, proof }] });
    };
    expect(await forward(1, second.id)).toBe('APPROVAL_OTHER_REQUEST');
    expect(await forward(3, id)).toBe('APPROVAL_OTHER_NODE');
    expect(await forward(1, id)).toBe('none');
  });

  it('do not count twice of one person, and a rejection ends the request', async () => {
    const started = await startWaiting((node) => approvals(node === 1 ? 1 : 2));
    const { testbed, id } = started;
    await testbed.node(1).vote(id, testbed.alice);
    const found = testbed.node(1).running.state.requests.find(id);
    const [vote] = found.votes;
    if (vote === undefined) throw new RangeError('expected a vote');
    const { statement, proof } = vote;
    const resume = testbed.node(1).forward(`/v1/requests/${id}`, {});
    const votes = [
      { statement, proof },
      { statement, proof },
    ];
    const consent = { id, expires: found.request.expires, resume, votes };
    expect(await testbed.node(1).coordinate(found, consent)).toBe('APPROVAL_REPEATED');
  });
});
