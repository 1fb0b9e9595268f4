import { describe, expect, it } from 'vitest';
import type { LedOrder } from '../../../../enclave/quorum/ceremonies/index.ts';
import { MemoryQuorum } from './quorum.ts';

/** Where a node is killed: the number of an event, and which of the nodes that take part in it. */
interface Blow {
  readonly event: number;
  readonly end: 'near' | 'far';
}

interface Scenario {
  readonly name: string;
  readonly coordinator: number;
  readonly order: (quorum: MemoryQuorum) => LedOrder;
  /** What has happened before. */
  readonly prepare: (quorum: MemoryQuorum) => Promise<void>;
  /** Nodes that hold shares before, and afterwards. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const generate = async (quorum: MemoryQuorum) => {
  await quorum.run(quorum.node(1).lead(quorum.order('generate', { holders: [1, 2, 3] })));
};

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'generate',
    coordinator: 1,
    order: (quorum) => quorum.order('generate', { holders: [1, 2, 3] }),
    prepare: async () => undefined,
    before: [],
    after: [1, 2, 3],
  },
  {
    name: 'import-key',
    coordinator: 2,
    order: (quorum) => {
      const secret = new Uint8Array(32).fill(3);
      const publicKey = secret.slice();
      return quorum.order('import-key', { secret, publicKey, holders: [1, 2, 3] });
    },
    prepare: async () => undefined,
    before: [],
    after: [1, 2, 3],
  },
  {
    name: 'refresh',
    coordinator: 2,
    order: (quorum) => quorum.order('refresh'),
    prepare: generate,
    before: [1, 2, 3],
    after: [1, 2, 3],
  },
  {
    name: 'reshare',
    coordinator: 1,
    order: (quorum) => quorum.order('reshare', { holders: [2, 3, 4] }),
    prepare: generate,
    before: [1, 2, 3],
    after: [2, 3, 4],
  },
  {
    name: 'repair',
    coordinator: 1,
    order: (quorum) => quorum.order('repair'),
    prepare: async (quorum) => {
      await generate(quorum);
      quorum.kill(3);
      quorum.node(3).storage.records = new Map();
      await quorum.boot(3);
      await quorum.settle(1_000);
    },
    before: [1, 2],
    after: [1, 2, 3],
  },
];

/** Plays a scenario with one blow; the number of events that there were. */
async function play(scenario: Scenario, blow: Blow | undefined): Promise<number> {
  const quorum = await MemoryQuorum.start({ nodes: [1, 2, 3, 4] });
  await scenario.prepare(quorum);
  const publicKey = scenario.before.length === 0 ? undefined : quorum.sign(scenario.before.slice(0, 2));
  const killed = new Set<number>();
  let events = 0;
  const strike = (near: number, far: number) => {
    if (events === blow?.event) {
      const victim = blow.end === 'near' ? near : far;
      quorum.kill(victim);
      killed.add(victim);
    }
    events += 1;
    return true;
  };
  quorum.network.onDelivery = ({ from, to }) => strike(from, to);
  quorum.network.onAnswer = ({ from, to }) => strike(to, from);
  for (const node of quorum.nodes.values()) {
    node.beforeCommit = () => strike(node.node, node.node);
    node.afterCommit = () => strike(node.node, node.node);
  }
  const ended = quorum
    .node(scenario.coordinator)
    .lead(scenario.order(quorum))
    .catch(() => undefined);
  await quorum.run(ended);
  await quorum.settle(100_000);
  const count = events;
  events = Number.MIN_SAFE_INTEGER;
  assertSigns(quorum, scenario, publicKey, killed);
  for (const node of killed) await quorum.boot(node);
  await quorum.settle(100_000);
  assertOneState(quorum, scenario, publicKey);
  await assertGoesOn(quorum, scenario);
  return count;
}

/** While the victim is down, as many nodes as the threshold still sign, in one epoch. */
function assertSigns(
  quorum: MemoryQuorum,
  { before }: Scenario,
  publicKey: string | undefined,
  killed: ReadonlySet<number>,
): void {
  if (publicKey === undefined) return;
  const byEpoch = new Map<number, number[]>();
  for (const [node, { keyring }] of quorum.nodes) {
    const epoch = keyring?.shareRecord('shared')?.current?.group.epoch;
    if (epoch !== undefined) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), node]);
  }
  const able = [...byEpoch.values()].filter(({ length }) => length >= 2);
  // Of two nodes with shares, one that is down is one too many for any quorum.
  if (before.filter((node) => !killed.has(node)).length < 2 && able.length === 0) return;
  expect(able.length).toBeGreaterThan(0);
  for (const nodes of able) expect(quorum.sign(nodes.slice(0, 2))).toBe(publicKey);
}

/** All nodes are in the old state, or all in the new one. */
function assertOneState(
  quorum: MemoryQuorum,
  { before, after }: Scenario,
  publicKey: string | undefined,
): void {
  const holding = [...quorum.nodes].filter(([, { keyring }]) => keyring?.shareRecord('shared')?.current);
  const nodes = holding.map(([node]) => node);
  const epochs = new Set(
    holding.map(([, { keyring }]) => keyring?.shareRecord('shared')?.current?.group.epoch),
  );
  expect(epochs.size).toBeLessThanOrEqual(1);
  const isNew = epochs.has(publicKey === undefined ? 1 : 2);
  expect(nodes).toEqual(isNew ? after : before);
  if (nodes.length >= 2)
    expect([publicKey ?? quorum.sign(nodes.slice(0, 2))]).toContain(quorum.sign(nodes.slice(-2)));
}

/** Whatever has happened, the next ceremony comes to its end. */
async function assertGoesOn(quorum: MemoryQuorum, scenario: Scenario): Promise<void> {
  const isHeld = quorum.epochs().some((epoch) => epoch !== undefined);
  const order = isHeld ? quorum.order('refresh') : quorum.order('generate', { holders: [1, 2, 3] });
  const outcome = await quorum.run(quorum.node(3).lead(order));
  expect(outcome.uninformed).toEqual([]);
  expect(scenario.after.length).toBe(outcome.plan.holders.length);
}

describe('a node that is killed at any step', () => {
  it.each(SCENARIOS)('of $name leaves the old state or the new one', async (scenario) => {
    const events = await play(scenario, undefined);
    expect(events).toBeGreaterThan(20);
    for (let event = 0; event < events; event += 1) {
      for (const end of ['near', 'far'] as const) {
        try {
          await play(scenario, { event, end });
        } catch (error) {
          throw new Error(`killed at event ${event} (${end}) of ${scenario.name}`, { cause: error });
        }
      }
    }
  });
});
