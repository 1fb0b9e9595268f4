import { createPublicKey, verify } from 'node:crypto';
import { expect, it } from 'vitest';
import { signCall } from '../../../../enclave/quorum/signing/messages.ts';
import { errorCode } from '../../../../shared/errors.ts';
import { Random } from '../../peers/random.ts';
import { KEY, type QuorumNode, QuorumTestbed } from './quorum-testbed.ts';

/** Schedules of requests, losses, crashes, restarts and restored stores; HOLDFAST_SEED=n plays one alone. */
const given = Number(process.env.HOLDFAST_SEED);
const SEEDS = Number.isInteger(given) && given > 0 ? [given] : [1, 2, 3, 4, 5, 6];
const STEPS = 12;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Whatever a node has signed with: the commitments of its pair of nonces, and the list and message of the signature. */
type Used = Map<string, Set<string>>;

/** Notes each pair of nonces with which a share is made, and what for. */
function watchShares(testbed: QuorumTestbed, used: Used): void {
  for (const node of testbed.nodes) {
    const share = node.running.keyring.share(KEY);
    const sign = share.sign.bind(share);
    share.sign = (request) => {
      const { round, payload } = request;
      if (round === undefined) throw new RangeError('expected a round');
      const { hiding, binding } = round.nonces.commitments;
      const list = round.commitments.map((one) => hex(one.hiding) + hex(one.binding)).join();
      const message = payload.kind === 'message' ? hex(payload.message) : payload.kind;
      const made = sign(request);
      const name = `${node.number} ${hex(hiding)} ${hex(binding)}`;
      used.set(name, (used.get(name) ?? new Set()).add(`${list} ${message}`));
      return made;
    };
  }
}

/** Ends a node and starts it anew, with the store that it had, or with an older one. */
async function restart(
  testbed: QuorumTestbed,
  number: number,
  { used, older }: { readonly used: Used; readonly older: QuorumNode['storage']['records'] | undefined },
): Promise<void> {
  const node = testbed.node(number);
  node.crash();
  if (older !== undefined) node.storage.records = new Map(older);
  await node.start();
  watchOne(testbed, number, used);
}

function watchOne(testbed: QuorumTestbed, number: number, used: Used): void {
  const only = Object.create(testbed, { nodes: { value: [testbed.node(number)] } }) as QuorumTestbed;
  watchShares(only, used);
}

/** Plays one schedule, and returns the signatures with their messages and how many pairs of nonces have signed. */
async function play(seed: number) {
  const random = new Random(seed);
  const testbed = await QuorumTestbed.start({
    network: { seed, faults: { drop: 0.05, duplicate: 0.2, maxDelayMs: 3 } },
  });
  const used: Used = new Map();
  const stores = testbed.nodes.map(({ storage }) => new Map(storage.records));
  watchShares(testbed, used);
  const replayed: { readonly to: number; readonly body: Uint8Array }[] = [];
  testbed.network.onDelivery = ({ to, kind, body }) => {
    if (kind === 'sign' && random.chance(0.3)) replayed.push({ to, body: body.slice() });
    return true;
  };
  const signatures: { readonly message: Buffer; readonly signature: Uint8Array }[] = [];
  const codes: string[] = [];
  const underWay: Promise<void>[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const number = 1 + random.below(3);
    const message = Buffer.from(`${seed} ${step}`);
    underWay.push(
      testbed
        .node(number)
        .sign({ payload: { kind: 'message', message: message.toString('hex') } })
        .then(
          (signed) => {
            const [first] = signed.outcome === 'permitted' ? signed.result : [];
            if (first !== undefined) signatures.push({ message, signature: first.signature });
          },
          (error: unknown) => {
            codes.push(errorCode(error));
          },
        ),
    );
    if (random.chance(0.2)) {
      const victim = 1 + random.below(3);
      const older = random.chance(0.5) ? stores[victim - 1] : undefined;
      await restart(testbed, victim, { used, older });
    }
    const again = random.chance(0.3) ? replayed.at(-1) : undefined;
    if (again !== undefined) {
      const from = 1 + (again.to % 3);
      const entries = signCall.decode(again.body).entries;
      const call = testbed.node(from).running.network.call(again.to, 'sign', signCall.encode({ entries }), {
        timeoutMs: 500,
      });
      underWay.push(call.then(() => undefined).catch(() => undefined));
    }
    await new Promise((resolve) => {
      setTimeout(resolve, random.below(20));
    });
  }
  await Promise.all(underWay);
  return { testbed, used, signatures, codes };
}

it.each(SEEDS)(
  'never signs two things with one pair of nonces, and ends (HOLDFAST_SEED=%i)',
  async (seed) => {
    const { testbed, used, signatures, codes } = await play(seed);
    for (const [name, purposes] of used) expect([name, purposes.size]).toEqual([name, 1]);
    const key = createPublicKey({
      key: Buffer.from(testbed.dealt.group.commitments[0] ?? []),
      format: 'raw-public',
      asymmetricKeyType: 'ed25519',
    });
    for (const { message, signature } of signatures) expect(verify(null, message, key, signature)).toBe(true);
    expect(signatures.length + codes.length).toBe(STEPS);
    for (const code of codes) {
      // A boot that has ended finds its store taken by the next one.
      expect(['QUORUM_UNREACHABLE', 'PEER_CLOSED', 'STORE_TAKEN']).toContain(code);
    }
    expect(used.size).toBeGreaterThan(0);
    // Each signature has the decisions of two nodes in their logs.
    const permitted = testbed.nodes.flatMap(({ entries }) =>
      entries.filter(({ predicate }) => 'outcome' in predicate && predicate.outcome === 'permitted'),
    );
    expect(permitted.length).toBeGreaterThanOrEqual(2 * signatures.length);
  },
  120_000,
);
