import { describe, expect, it } from 'vitest';
import {
  commitBodySchema,
  type Dealing,
  decodeBody,
  decodePlan,
  digestPlan,
  encodeBody,
  encodePlan,
  type Plan,
  type SignedMessage,
  signMessage,
} from '../../../../audit/transcript/index.ts';
import {
  CALLS,
  commitQuestion,
  decodeCall,
  encodeCall,
  messageAnswer,
} from '../../../../enclave/quorum/ceremonies/wire.ts';
import { Participation } from '../../../../enclave/quorum/ceremonies/participation.ts';
import { codeOf, MemoryQuorum, toySuites } from './quorum.ts';

/** A quorum in which node 1 is whatever a test makes of it, and speaks to the others by its own channel. */
async function startQuorum() {
  const quorum = await MemoryQuorum.start();
  const network = quorum.node(1).network;
  if (network === undefined) throw new RangeError('expected a network');
  const call = async (node: number, kind: string, body: Uint8Array) =>
    await quorum.run(network.call(node, kind, body, { timeoutMs: 1_000 }));
  const refusal = async (node: number, kind: string, body: Uint8Array): Promise<unknown> =>
    await quorum.run(
      network.call(node, kind, body, { timeoutMs: 1_000 }).then(
        () => 'none',
        (error: unknown) => (error as { details?: { code?: unknown } }).details?.code,
      ),
    );
  return { quorum, call, refusal };
}

/** The plan of a generation that node 1 would lead. */
async function takePlan(quorum: MemoryQuorum): Promise<Plan> {
  let encoded: Uint8Array | undefined;
  quorum.network.onDelivery = ({ kind, body }) => {
    if (kind === CALLS.commit) encoded ??= decodeCall(commitQuestion, body).plan;
    return kind !== CALLS.commit;
  };
  const ended = quorum
    .node(1)
    .lead(quorum.order('generate'))
    .catch(() => undefined);
  await quorum.run(ended);
  quorum.network.onDelivery = () => true;
  await quorum.settle(1_000);
  if (encoded === undefined) throw new RangeError('expected a plan');
  return {
    ...decodePlan(encoded),
    id: new Uint8Array(16).fill(9),
    time: 1_000_000 + Math.floor(quorum.timeline.now()),
  };
}

const request = Buffer.from('please generate');
const ask = (plan: Plan, body: Uint8Array = request) =>
  encodeCall({ plan: encodePlan(plan), request: new Uint8Array(body) });

describe('a node asked to take part in a ceremony', () => {
  it('refuses a plan that another node leads, of another time, threshold, session, key or node', async () => {
    const { quorum, refusal } = await startQuorum();
    const plan = await takePlan(quorum);
    const [first, ...rest] = plan.members;
    if (first === undefined) throw new RangeError('expected members');
    const cases: readonly (readonly [string, Plan])[] = [
      ['CEREMONY_PLAN_REFUSED', { ...plan, coordinator: 3 }],
      ['CEREMONY_PLAN_REFUSED', { ...plan, time: plan.time - 200_000 }],
      ['CEREMONY_NODES_UNREACHABLE', { ...plan, members: [{ ...first, session: '0f'.repeat(16) }, ...rest] }],
      [
        'CEREMONY_PLAN_REFUSED',
        {
          ...plan,
          members: plan.members.map((each) =>
            each.node === 2 ? { ...each, session: '0f'.repeat(16) } : each,
          ),
        },
      ],
      [
        'CEREMONY_PLAN_REFUSED',
        { ...plan, members: [{ ...first, receiptKey: new Uint8Array(32) }, ...rest] },
      ],
      ['CEREMONY_PLAN_REFUSED', { ...plan, members: [{ ...first, manifest: new Uint8Array(48) }, ...rest] }],
      [
        'CEREMONY_NODES_UNREACHABLE',
        {
          ...plan,
          members: [...plan.members, { ...first, node: 9 }],
          holders: [1, 2, 3, 9],
          dealers: [1, 2, 3, 9],
        },
      ],
      ['CEREMONY_KEY_STATE', { ...plan, keys: plan.keys.map((key) => ({ ...key, key: 'unknown' })) }],
      [
        'CEREMONY_KEY_STATE',
        { ...plan, keys: plan.keys.map((key) => ({ ...key, type: 'frost-p256' as const })) },
      ],
      ['CEREMONY_PLAN_REFUSED', { ...plan, request: new Uint8Array(32) }],
      // The last epoch there is: the key would have no other one any more.
      ['CEREMONY_PLAN_REFUSED', { ...plan, keys: plan.keys.map((key) => ({ ...key, epoch: 0xffff_ffff })) }],
    ];
    for (const [code, changed] of cases) expect(await refusal(2, CALLS.commit, ask(changed))).toBe(code);
    expect(await refusal(2, CALLS.commit, ask(plan))).toBe('none');
  });

  it('believes fewer dealers than the threshold of the manifest in no key that it does not know', async () => {
    const quorum = await MemoryQuorum.start({ nodes: [1, 2, 3, 4], threshold: 3 });
    const { call } = await startQuorumOf(quorum);
    const plan = await takePlan(quorum);
    const former = (threshold: number) => ({
      epoch: 1,
      threshold,
      holders: [1, 2, 3],
      commitments: Array.from({ length: threshold }, () => new Uint8Array(32)),
    });
    const made = (threshold: number): Plan => ({
      ...plan,
      operation: 'reshare',
      dealers: [1, 2, 3],
      keys: plan.keys.map((key) => ({
        ...key,
        epoch: 2,
        former: former(threshold),
        origin: new Uint8Array(48),
      })),
    });
    expect(await codeOfRefusal(call(4, CALLS.commit, ask(made(2))))).toBe('CEREMONY_PLAN_REFUSED');
    expect(await codeOfRefusal(call(4, CALLS.commit, ask(made(3))))).toBe('none');
  });

  it('answers no more than a few questions of one step, which it remembers', async () => {
    const { quorum, call, refusal } = await startQuorum();
    const plan = await takePlan(quorum);
    await call(2, CALLS.commit, ask(plan));
    const message = { step: 'commit', sender: 1, signature: new Uint8Array(64) } as const;
    const codes: unknown[] = [];
    for (let tried = 0; tried < 20; tried += 1) {
      const commits = [{ ...message, body: Uint8Array.of(tried) }];
      codes.push(await refusal(2, CALLS.deal, encodeCall({ id: plan.id, commits })));
    }
    expect(codes[0]).toBe('CEREMONY_SENDERS_WRONG');
    expect(codes.at(-1)).toBe('CEREMONY_OUT_OF_STEP');
  });

  it('refuses a threshold below the manifest', async () => {
    const quorum = await MemoryQuorum.start({ nodes: [1, 2, 3, 4], threshold: 3 });
    const order = quorum.order('generate', { threshold: 2 });
    expect(await quorum.run(codeOf(quorum.node(1).lead(order)))).toBe('CEREMONY_THRESHOLD_LOW');
  });

  it.each([
    ['a node twice', { holders: [1, 2, 2], dealers: [1, 2, 2] }],
    ['a node of number zero', { holders: [0, 1, 2], dealers: [0, 1, 2] }],
    ['a threshold above the holders', { threshold: 4 }],
    ['a threshold of one', { threshold: 1 }],
    ['dealers that do not all hold', { dealers: [1, 2] }],
  ])('takes no plan with %s', async (_, change) => {
    const { quorum } = await startQuorum();
    const plan = await takePlan(quorum);
    expect(() => encodePlan({ ...plan, ...change })).toThrow(expect.objectContaining({ name: 'ZodError' }));
  });

  it('refuses a ceremony that is played again, and one under way beside it', async () => {
    const { quorum, refusal, call } = await startQuorum();
    const plan = await takePlan(quorum);
    await call(2, CALLS.commit, ask(plan));
    const other = { ...plan, id: new Uint8Array(16).fill(8) };
    expect(await refusal(2, CALLS.commit, ask(other))).toBe('CEREMONY_RUNNING');
    expect(await refusal(2, CALLS.commit, ask({ ...plan, threshold: 3 }))).toBe('CEREMONY_PLAN_REFUSED');
    await call(
      2,
      CALLS.resolve,
      encodeCall({ id: plan.id, planDigest: digestPlan(encodePlan(plan)), key: 'shared', epoch: 1 }),
    );
    expect(await refusal(2, CALLS.commit, ask(plan))).toBe('CEREMONY_UNKNOWN');
  });
});

/** Plays node 1 as the coordinator: the messages of the others, and its own as it pleases. */
async function collect(
  kind: string,
  body: Uint8Array,
  call: (node: number, kind: string, body: Uint8Array) => Promise<Uint8Array>,
) {
  const messages: SignedMessage[] = [];
  for (const node of [2, 3]) messages.push(decodeCall(messageAnswer, await call(node, kind, body)).message);
  return messages;
}

/** The first message of node 1 in a plan, with dealings of its choice. */
async function commitAs(
  quorum: MemoryQuorum,
  plan: Plan,
  template: SignedMessage,
  change: (dealing: Dealing) => Dealing,
) {
  const body = decodeBody(commitBodySchema, template);
  const { receiptKey } = quorum.node(1);
  const encoded = encodeBody({
    document: body.document,
    recipientKeys: body.recipientKeys,
    dealings: body.dealings.map((dealing) => ({ ...change(dealing) })),
  });
  return signMessage(receiptKey.privateKey, digestPlan(encodePlan(plan)), {
    step: 'commit',
    sender: 1,
    body: encoded,
  });
}

describe('a coordinator that lies', () => {
  it('cannot alter, leave out or repeat a message, nor sign for another node', async () => {
    const { quorum, call, refusal } = await startQuorum();
    const plan = await takePlan(quorum);
    const others = await collect(CALLS.commit, ask(plan), call);
    const [two, three] = others;
    if (two === undefined || three === undefined) throw new RangeError('expected messages');
    const own = await commitAs(quorum, plan, two, (dealing) => dealing);
    const deal = (commits: readonly SignedMessage[]) =>
      encodeCall({ id: plan.id, commits: commits.map((one) => ({ ...one })) });
    expect(await refusal(2, CALLS.deal, deal([own, two]))).toBe('CEREMONY_SENDERS_WRONG');
    expect(await refusal(2, CALLS.deal, deal([own, two, two]))).toBe('CEREMONY_SENDERS_WRONG');
    const forged = { ...own, sender: 3 };
    expect(await refusal(2, CALLS.deal, deal([own, two, forged]))).toBe('CEREMONY_SIGNATURE_INVALID');
    const altered = { ...three, body: three.body.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) };
    expect(await refusal(2, CALLS.deal, deal([own, two, altered]))).toBe('CEREMONY_SIGNATURE_INVALID');
  });

  it('cannot pass off the commitments or the proof of another as its own', async () => {
    const { quorum, call, refusal } = await startQuorum();
    const plan = await takePlan(quorum);
    const [two, three] = await collect(CALLS.commit, ask(plan), call);
    if (two === undefined || three === undefined) throw new RangeError('expected messages');
    const copied = await commitAs(quorum, plan, two, (dealing) => dealing);
    const body = encodeCall({ id: plan.id, commits: [copied, two, three].map((one) => ({ ...one })) });
    expect(await refusal(3, CALLS.deal, body)).toBe('PACKAGE_INVALID');
  });

  it('that shows two nodes different commitments gets no confirmation', async () => {
    const quorum = await MemoryQuorum.start();
    const { call } = await startQuorumOf(quorum);
    const plan = await takePlan(quorum);
    const [two, three] = await collect(CALLS.commit, ask(plan), call);
    if (two === undefined || three === undefined) throw new RangeError('expected messages');
    // The dealings of the plan's own generation are valid; two of them, of two runs, are both signed by node 1.
    const versions = await drawVersions(quorum, plan);
    const deals: SignedMessage[] = [];
    for (const [index, node] of [2, 3].entries()) {
      const version = versions[index];
      if (version === undefined) throw new RangeError('expected a version');
      const body = encodeCall({ id: plan.id, commits: [version, two, three].map((one) => ({ ...one })) });
      deals.push(decodeCall(messageAnswer, await call(node, CALLS.deal, body)).message);
    }
    const [first, second] = deals;
    if (first === undefined || second === undefined) throw new RangeError('expected messages');
    const own = { ...first, sender: 1 };
    const signed = signMessage(quorum.node(1).receiptKey.privateKey, digestPlan(encodePlan(plan)), {
      step: 'deal',
      sender: 1,
      body: own.body,
    });
    const confirm = encodeCall({ id: plan.id, deals: [signed, first, second].map((one) => ({ ...one })) });
    const outcome = await quorum.run(
      codeOfRefusal(quorum.node(1).network?.call(2, CALLS.confirm, confirm, { timeoutMs: 1_000 })),
    );
    expect(outcome).toBe('CEREMONY_VIEWS_DIFFER');
    expect(quorum.epochs()).toEqual([undefined, undefined, undefined]);
    expect(quorum.node(2).held.shareRecord('shared')).toBeUndefined();
  });
});

async function startQuorumOf(quorum: MemoryQuorum) {
  const call = async (node: number, kind: string, body: Uint8Array): Promise<Uint8Array> =>
    await quorum.run(
      quorum.node(1).network?.call(node, kind, body, { timeoutMs: 1_000 }) ??
        Promise.reject(new RangeError('down')),
    );
  return { call };
}

async function codeOfRefusal(promise: Promise<unknown> | undefined): Promise<unknown> {
  return await promise?.then(
    () => 'none',
    (error: unknown) => (error as { details?: { code?: unknown } }).details?.code,
  );
}

/** Two different first messages of node 1 for a plan, both of them valid. */
async function drawVersions(quorum: MemoryQuorum, plan: Plan): Promise<SignedMessage[]> {
  const encodedPlan = encodePlan(plan);
  const versions: SignedMessage[] = [];
  for (let version = 0; version < 2; version += 1) {
    const participation = await Participation.begin({
      self: 1,
      receiptKey: quorum.node(1).receiptKey,
      suites: toySuites,
      plan,
      encodedPlan,
      planDigest: digestPlan(encodedPlan),
      request,
      document: new Uint8Array(1),
      secrets: [undefined],
      pause: async () => undefined,
    });
    versions.push(participation.commit);
  }
  return versions;
}
