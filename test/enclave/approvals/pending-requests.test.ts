import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type PendingRequests, type ReceivedVote, RequestError } from '../../../enclave/approvals/index.ts';
import { MAX_PENDING, MAX_PENDING_PER_CLIENT, MAX_RESULT_BYTES } from '../../../enclave/approvals/limits.ts';
import { ApprovalError } from '../../../policy/approvals/index.ts';
import type { KeyHolder, PasskeyHolder } from '../../policy/approvals/people.ts';
import { Circumstances, MINUTE, newRequest, START, statementOf, toBody } from './circumstances.ts';

let around: Circumstances;
let requests: PendingRequests;

beforeEach(async () => {
  around = new Circumstances();
  requests = await around.start();
});

async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof RequestError || error instanceof ApprovalError) return error.code;
    throw error;
  }
  return 'accepted';
}

/** Makes a vote count, as a log does whose entries are sealed at once. */
const recordAtOnce = async ({ apply }: ReceivedVote) => {
  await Promise.resolve();
  apply();
};

const bodyOf = (id: string, person: KeyHolder | PasskeyHolder, decision: 'approve' | 'reject' = 'approve') =>
  toBody(person.sign(statementOf(requests, id, person.id, { decision })));

const vote = (id: string, person: KeyHolder | PasskeyHolder, decision: 'approve' | 'reject' = 'approve') =>
  requests.vote(id, bodyOf(id, person, decision), recordAtOnce);

describe('a request that waits', () => {
  test('gathers the approvals of distinct people', async () => {
    const id = requests.create(newRequest());
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect((await vote(id, around.alice)).votes).toHaveLength(1);
    expect(await codeOf(() => vote(id, around.alice))).toBe('APPROVAL_REPEATED');
    expect(await vote(id, around.bob)).toMatchObject({ state: 'waiting' });
    expect(requests.approvalsOf(id).map(({ approver }) => approver)).toEqual(['alice', 'bob']);
  });

  test('keeps its id when the same client asks again, and gets another for another client', () => {
    const id = requests.create(newRequest());
    expect(requests.create(newRequest())).toBe(id);
    expect(requests.create(newRequest(1))).not.toBe(id);
    expect(requests.create(newRequest(0, 'desk'))).not.toBe(id);
  });

  test('survives a restart with its votes, once they are sealed', async () => {
    const id = requests.create(newRequest());
    await vote(id, around.bob);
    await around.seal(requests);
    const { requests: again, dropped } = await around.restart();
    expect(dropped).toEqual([]);
    expect(again.findOwn('backend', id)).toEqual(requests.findOwn('backend', id));
    expect(again.collectChanges()).toEqual([]);
  });

  test('is gone when it expires, with its votes, in memory and in the store', async () => {
    const id = requests.create(newRequest());
    await vote(id, around.bob);
    const late = bodyOf(id, around.alice);
    await around.seal(requests);
    around.now = START + MINUTE;
    expect(await codeOf(() => requests.vote(id, late, recordAtOnce))).toBe('REQUEST_UNKNOWN');
    await around.seal(requests);
    expect([...around.storage.records.keys()].filter((name) => name.includes(id))).toEqual([]);
  });

  test('is dropped at a start with a reason: expired, or under another configuration', async () => {
    const id = requests.create(newRequest());
    const digest = newRequest().digest;
    await around.seal(requests);
    around.configuration = { version: 8, digest: '00'.repeat(48) };
    expect((await around.restart()).dropped).toEqual([
      { id, client: 'backend', digest, reason: 'configuration-changed' },
    ]);
    around.now = START + MINUTE;
    expect((await around.restart()).dropped).toEqual([{ id, client: 'backend', digest, reason: 'expired' }]);
  });

  test('is nobody else’s: another client learns nothing of it', async () => {
    const id = requests.create(newRequest());
    expect(await codeOf(() => requests.findOwn('desk', id))).toBe('REQUEST_UNKNOWN');
    expect(await codeOf(() => requests.carryOut('desk', id, () => Promise.resolve()))).toBe(
      'REQUEST_UNKNOWN',
    );
    expect(requests.list('desk')).toEqual([]);
    expect(requests.list('backend')).toHaveLength(1);
  });
});

describe('a vote', () => {
  test('is refused for another request of the same content', async () => {
    const one = requests.create(newRequest());
    const other = requests.create(newRequest(0, 'desk'));
    expect(await codeOf(() => requests.vote(other, bodyOf(one, around.bob), recordAtOnce))).toBe(
      'APPROVAL_OTHER_REQUEST',
    );
  });

  test('is refused of the person behind the client', async () => {
    const id = requests.create({ ...newRequest(), needs: [{ group: 'security', count: 1 }] });
    expect(await codeOf(() => vote(id, around.erin))).toBe('APPROVER_IS_REQUESTER');
    const other = requests.create({ ...newRequest(0, 'desk'), needs: [{ group: 'security', count: 1 }] });
    expect(await codeOf(() => vote(other, around.erin))).toBe('accepted');
    expect(await codeOf(() => vote(other, around.bob))).toBe('APPROVER_NOT_ASKED');
  });

  test('does not count before its entry is made, and keeps the same person out meanwhile', async () => {
    const id = requests.create(newRequest());
    const sealed = Promise.withResolvers<void>();
    let received: ReceivedVote | undefined;
    const first = requests.vote(id, bodyOf(id, around.bob), async (arrived) => {
      received = arrived;
      await sealed.promise;
    });
    await Promise.resolve();
    expect(requests.approvalsOf(id)).toEqual([]);
    expect(await codeOf(() => vote(id, around.bob))).toBe('APPROVAL_REPEATED');
    received?.apply();
    sealed.resolve();
    await first;
    expect(requests.approvalsOf(id)).toHaveLength(1);
  });

  test('does not count where its entry could not be made', async () => {
    const id = requests.create(newRequest());
    const failing = () => Promise.reject(new RequestError('REQUESTS_FULL', 'as the test has it'));
    expect(await codeOf(() => requests.vote(id, bodyOf(id, around.bob), failing))).toBe('REQUESTS_FULL');
    expect(requests.approvalsOf(id)).toEqual([]);
    expect(await codeOf(() => vote(id, around.bob))).toBe('accepted');
  });

  test('does not count, and leaves nothing in the store, where its request has gone meanwhile', async () => {
    const id = requests.create(newRequest());
    const late = requests.vote(id, bodyOf(id, around.bob), async ({ apply }) => {
      around.now = START + MINUTE;
      requests.expire();
      await around.seal(requests);
      apply();
    });
    expect(await codeOf(() => late)).toBe('REQUEST_UNKNOWN');
    await around.seal(requests);
    expect([...around.storage.records.keys()].filter((name) => name.includes(id))).toEqual([]);
  });

  test('uses up the counter of its passkey for all requests, across restarts', async () => {
    const id = requests.create(newRequest());
    const other = requests.create(newRequest(1));
    const sign = (to: string, counter: number) =>
      toBody(around.alice.sign(statementOf(requests, to, 'alice'), { counter }));
    await requests.vote(id, sign(id, 5), recordAtOnce);
    expect(await codeOf(() => requests.vote(other, sign(other, 5), recordAtOnce))).toBe(
      'APPROVAL_COUNTER_BACK',
    );
    await around.seal(requests);
    const { requests: again } = await around.restart();
    expect(await codeOf(() => again.vote(other, sign(other, 4), recordAtOnce))).toBe('APPROVAL_COUNTER_BACK');
    expect(await codeOf(() => again.vote(other, sign(other, 6), recordAtOnce))).toBe('accepted');
  });

  test('that rejects ends the request, whatever was approved before, and is sealed', async () => {
    const id = requests.create(newRequest());
    await vote(id, around.alice);
    await vote(id, around.bob);
    expect(await vote(id, around.bob, 'reject')).toMatchObject({ state: 'rejected' });
    expect(requests.approvalsOf(id).map(({ approver }) => approver)).toEqual(['alice']);
    const act = vi.fn<() => Promise<unknown>>();
    expect(await codeOf(() => requests.carryOut('backend', id, act))).toBe('REQUEST_REJECTED');
    expect(await codeOf(() => vote(id, around.bob))).toBe('REQUEST_REJECTED');
    expect(act).not.toHaveBeenCalled();
    await around.seal(requests);
    expect((await around.restart()).requests.find(id).state).toBe('rejected');
  });

  test('that rejects and is being sealed keeps the request from being carried out', async () => {
    const id = requests.create(newRequest());
    const sealed = Promise.withResolvers<void>();
    const rejection = requests.vote(id, bodyOf(id, around.bob, 'reject'), async ({ apply }) => {
      await sealed.promise;
      apply();
    });
    const act = vi.fn<() => Promise<unknown>>();
    expect(await codeOf(() => requests.carryOut('backend', id, act))).toBe('REQUEST_REJECTED');
    sealed.resolve();
    await rejection;
    expect(act).not.toHaveBeenCalled();
  });

  test('waits while the request is carried out, and comes too late then', async () => {
    const id = requests.create(newRequest());
    const signed = Promise.withResolvers<string>();
    const carried = requests.carryOut('backend', id, async () => {
      const signature = await signed.promise;
      requests.finish(id, { signature });
      return { signature };
    });
    const rejection = codeOf(() => vote(id, around.bob, 'reject'));
    signed.resolve('00');
    await carried;
    expect(await rejection).toBe('REQUEST_DONE');
  });
});

describe('a request that is carried out', () => {
  test('is carried out once, however often it is asked for, and its result is kept until it expires', async () => {
    const id = requests.create(newRequest());
    const act = vi.fn<() => Promise<unknown>>(async () => {
      await Promise.resolve();
      requests.finish(id, { signature: 'ab' });
      return { signature: 'ab' };
    });
    const ask = () => requests.carryOut('backend', id, act);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 2, 3].map(() => ({ signature: 'ab' })));
    expect(await ask()).toEqual({ signature: 'ab' });
    expect(act).toHaveBeenCalledTimes(1);
    await around.seal(requests);
    const { requests: again } = await around.restart();
    expect(await again.carryOut('backend', id, act)).toEqual({ signature: 'ab' });
    expect(act).toHaveBeenCalledTimes(1);
    around.now = START + MINUTE;
    expect(await codeOf(() => again.carryOut('backend', id, act))).toBe('REQUEST_UNKNOWN');
  });

  test('is gone with its result under another configuration, which may permit no such thing', async () => {
    const id = requests.create(newRequest());
    requests.finish(id, { signature: 'ab' });
    await around.seal(requests);
    around.configuration = { version: 8, digest: '00'.repeat(48) };
    const { requests: again, dropped } = await around.restart();
    expect(dropped).toMatchObject([{ id, reason: 'configuration-changed' }]);
    expect(await codeOf(() => again.carryOut('backend', id, () => Promise.resolve(1)))).toBe(
      'REQUEST_UNKNOWN',
    );
  });

  test('waits on where the attempt failed', async () => {
    const id = requests.create(newRequest());
    const failing = () => Promise.reject(new RequestError('REQUESTS_FULL', 'as the test has it'));
    expect(await codeOf(() => requests.carryOut('backend', id, failing))).toBe('REQUESTS_FULL');
    expect(requests.find(id).state).toBe('waiting');
    expect(await requests.carryOut('backend', id, () => Promise.resolve(1))).toBe(1);
  });

  test('does not expire before its attempt has ended', async () => {
    const id = requests.create(newRequest());
    const carried = requests.carryOut('backend', id, async () => {
      around.now = START + MINUTE;
      await Promise.resolve();
      expect(requests.expire()).toEqual([]);
      requests.finish(id, 1);
      return 1;
    });
    expect(await carried).toBe(1);
    expect(requests.expire()).toHaveLength(1);
  });

  test('says that it is done where its result was too long to keep', async () => {
    const id = requests.create(newRequest());
    requests.finish(id, 'x'.repeat(MAX_RESULT_BYTES));
    expect(await codeOf(() => requests.carryOut('backend', id, () => Promise.resolve(1)))).toBe(
      'REQUEST_DONE',
    );
  });
});

describe('the number of requests', () => {
  test('is bounded for one client, and others still get in', async () => {
    for (let mark = 0; mark < MAX_PENDING_PER_CLIENT; mark += 1) requests.create(newRequest(mark));
    expect(await codeOf(() => requests.create(newRequest(255)))).toBe('REQUESTS_FULL');
    expect(await codeOf(() => requests.create(newRequest(255, 'desk')))).toBe('accepted');
    around.now = START + MINUTE;
    expect(await codeOf(() => requests.create(newRequest(255, 'backend', START + 2 * MINUTE)))).toBe(
      'accepted',
    );
  });

  test('is bounded for all of them', async () => {
    for (let index = 0; index < MAX_PENDING; index += 1) {
      requests.create(newRequest(index % 64, `client-${Math.floor(index / 64)}`));
    }
    expect(await codeOf(() => requests.create(newRequest(0, 'another')))).toBe('REQUESTS_FULL');
  });

  test('is bounded by the bytes of one commit, until they are sealed', async () => {
    const long = (mark: number) => {
      const request = newRequest(mark);
      const payload = { kind: 'message' as const, message: 'ab'.repeat(16_384) };
      return { ...request, request: { ...request.request, payload } };
    };
    const codes: string[] = [];
    for (let mark = 0; mark < 40; mark += 1) codes.push(await codeOf(() => requests.create(long(mark))));
    expect(codes.at(-1)).toBe('REQUESTS_FULL');
    await around.seal(requests);
    expect(await codeOf(() => requests.create(long(40)))).toBe('accepted');
  });
});
