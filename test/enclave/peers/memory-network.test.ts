import { describe, expect, it } from 'vitest';
import { PeerError } from '../../../enclave/peers/errors.ts';
import type { PeerNetwork } from '../../../enclave/peers/peer-network.ts';
import { makeIdentity } from './identities.ts';
import { MemoryNetwork } from './memory-network.ts';
import { VirtualTimeline } from './timeline.ts';

const NODES = [1, 2, 3];

function startNodes(seed = 1, faults = {}) {
  const timeline = new VirtualTimeline();
  const network = new MemoryNetwork({ seed, faults, timeline });
  const start = (node: number) =>
    network.start(
      makeIdentity(node),
      NODES.filter((other) => other !== node),
    );
  const nodes = NODES.map(start);
  for (const node of nodes) node.serve('double', async (_, body) => body.map((byte) => byte * 2));
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new RangeError('expected nodes');
  return { timeline, network, start, one, two };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PeerError)) throw new TypeError('not refused with a code', { cause: error });
  return error.code;
}

const call = (from: PeerNetwork, to: number, body: readonly number[] = [1, 2]) =>
  from.call(to, 'double', Uint8Array.from(body), { timeoutMs: 1_000 });

describe('the network in memory', () => {
  it('carries calls and answers', async () => {
    const { timeline, one } = startNodes();
    expect(await timeline.run(call(one, 2))).toEqual(Uint8Array.of(2, 4));
  });

  it('loses a call to a node that is down, parted or late', async () => {
    const { timeline, network, one } = startNodes();
    network.part([[1], [2, 3]]);
    expect(await timeline.run(codeOf(call(one, 2)))).toBe('PEER_UNREACHABLE');
    network.heal();
    network.crash(3);
    expect(await timeline.run(codeOf(call(one, 3)))).toBe('PEER_UNREACHABLE');
    network.faults = { ...network.faults, minDelayMs: 2_000, maxDelayMs: 2_000 };
    expect(await timeline.run(codeOf(call(one, 2)))).toBe('PEER_UNREACHABLE');
  });

  it('ends the calls of a node that crashes, and has nothing of a former boot answered', async () => {
    const { timeline, network, one, start } = startNodes();
    const pending = codeOf(call(one, 2));
    network.crash(1);
    expect(await timeline.run(pending)).toBe('PEER_CLOSED');
    expect(await timeline.run(codeOf(call(one, 2)))).toBe('PEER_CLOSED');
    start(2);
    expect(await timeline.run(codeOf(call(start(1), 2)))).toBe('PEER_REFUSED');
  });

  it('delivers what one node sends to another in order', async () => {
    const { timeline, one, two } = startNodes(7, { maxDelayMs: 100 });
    const arrived: number[] = [];
    two.serve('note', async (_, body) => {
      arrived.push(body[0] ?? -1);
      return body;
    });
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    await timeline.run(
      Promise.all(numbers.map((number) => one.call(2, 'note', Uint8Array.of(number), { timeoutMs: 10_000 }))),
    );
    expect(arrived).toEqual(numbers);
  });

  it('tells of sessions at a start and after a parting', async () => {
    const { timeline, network, one, start } = startNodes();
    const seen: number[] = [];
    one.onSession(({ node }) => seen.push(node));
    await timeline.run(timeline.sleep(1));
    expect(seen.toSorted((a, b) => a - b)).toEqual([2, 2, 3, 3]);
    start(2);
    await timeline.run(timeline.sleep(1));
    expect(seen.slice(4)).toEqual([2]);
    network.part([[1, 2], [3]]);
    network.heal();
    expect(seen.slice(5)).toEqual([3]);
  });

  it('does the same again for the same seed', async () => {
    const play = async (seed: number) => {
      const { timeline, one } = startNodes(seed, { drop: 0.3, maxDelayMs: 50 });
      const outcomes: (string | number)[] = [];
      for (let count = 0; count < 20; count += 1) {
        outcomes.push(
          await timeline.run(
            call(one, 2).then(
              () => timeline.now(),
              () => 'lost',
            ),
          ),
        );
      }
      return outcomes;
    };
    expect(await play(3)).toEqual(await play(3));
    expect(await play(3)).not.toEqual(await play(4));
  });
});
