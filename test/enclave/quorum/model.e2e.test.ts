import { describe, expect, it } from 'vitest';
import type { LedOrder } from '../../../enclave/quorum/ceremonies/index.ts';
import { Random } from '../peers/random.ts';
import { MemoryQuorum } from './ceremonies/quorum.ts';

/** Seeds that are played; MODEL_SEED plays one of them again, MODEL_SEEDS so many. */
const FIRST = Number(process.env['MODEL_SEED'] ?? 1);
const COUNT = process.env['MODEL_SEED'] === undefined ? Number(process.env['MODEL_SEEDS'] ?? 120) : 1;
const STEPS = 14;
const NODES = [1, 2, 3, 5, 8];

class Denial extends Error {}

/** One random schedule over one quorum, and what must hold at its end. */
class Play {
  readonly random: Random;
  readonly quorum: MemoryQuorum;
  publicKey = '';
  /** The one node whose parent may put an older store in place: more than one are more lost shares than allowed. */
  readonly #rolledBack: number;
  #snapshot: ReturnType<MemoryQuorum['node']>['storage']['records'] | undefined;
  readonly underWay: Promise<unknown>[] = [];

  constructor(seed: number, quorum: MemoryQuorum) {
    this.random = new Random(seed);
    this.quorum = quorum;
    this.#rolledBack = this.random.pick(NODES);
  }

  async begin(): Promise<void> {
    const holders = NODES.slice(0, 3 + this.random.below(3));
    const order = this.quorum.order('generate', { holders, threshold: 2 });
    const { publicKeys } = await this.quorum.run(this.quorum.node(1).lead(order));
    this.publicKey = Buffer.from(publicKeys[0] ?? []).toString('hex');
    for (const node of this.quorum.nodes.values()) {
      node.authorise = () =>
        this.random.chance(0.05) ? Promise.reject(new Denial('denied')) : Promise.resolve();
    }
    this.quorum.network.faults = { drop: 0.04, duplicate: 0.05, minDelayMs: 0, maxDelayMs: 40 };
  }

  async step(): Promise<void> {
    const { random, quorum } = this;
    const up = NODES.filter((node) => quorum.network.isUp(node));
    const down = NODES.filter((node) => !quorum.network.isUp(node));
    const act = random.below(10);
    if (act < 4 && up.length > 0) this.lead(random.pick(up));
    else if (act === 4 && up.length > 0) quorum.kill(random.pick(up));
    else if (act === 5 && up.length > 0) this.killLater(random.pick(up));
    else if (act === 6 && down.length > 0) await this.boot(random.pick(down));
    else if (act === 7) quorum.network.part([NODES.filter(() => random.chance(0.6)), NODES.slice(0, 1)]);
    else if (act === 8) quorum.network.heal();
    else this.#snapshot ??= quorum.node(this.#rolledBack).storage.snapshot();
    await quorum.settle(random.pick([5, 50, 500, 20_000, 150_000]));
  }

  lead(node: number): void {
    const { random, quorum } = this;
    const holders = random
      .shuffle(NODES)
      .slice(0, 3 + random.below(3))
      .toSorted((a, b) => a - b);
    const order: LedOrder = random.pick([
      quorum.order('refresh'),
      quorum.order('repair'),
      // One share may be lost to a rollback: the rest suffices.
      quorum.order('reshare', { holders, threshold: 2 + random.below(holders.length - 2) }),
    ]);
    this.underWay.push(
      quorum
        .node(node)
        .lead(order)
        .catch(() => undefined),
    );
  }

  /** Kills a node right before or after one of its next commits. */
  killLater(number: number): void {
    const node = this.quorum.node(number);
    let left = this.random.below(3);
    const strike = () => {
      left -= 1;
      if (left >= 0) return;
      node.beforeCommit = () => undefined;
      node.afterCommit = () => undefined;
      this.quorum.kill(number);
    };
    if (this.random.chance(0.5)) node.beforeCommit = strike;
    else node.afterCommit = strike;
  }

  async boot(number: number): Promise<void> {
    const node = this.quorum.node(number);
    node.beforeCommit = () => undefined;
    node.afterCommit = () => undefined;
    if (number === this.#rolledBack && this.#snapshot !== undefined && this.random.chance(0.7)) {
      node.storage.records = new Map(this.#snapshot);
    }
    await this.quorum.boot(number);
  }

  /** All is well again: whatever was under way ends, and the key signs as before. */
  async end(): Promise<void> {
    const { quorum } = this;
    quorum.network.faults = { drop: 0, duplicate: 0, minDelayMs: 0, maxDelayMs: 1 };
    quorum.network.heal();
    for (const node of quorum.nodes.values()) {
      node.authorise = async () => undefined;
      node.beforeCommit = () => undefined;
      node.afterCommit = () => undefined;
    }
    for (const node of NODES) if (!quorum.network.isUp(node)) await this.boot(node);
    await quorum.run(Promise.all(this.underWay));
    await quorum.settle(500_000);
    this.assertSigns();
    this.assertDecided();
    const able = this.findAble();
    const leader = quorum.node(able.nodes[0] ?? 0);
    const outcome = await quorum.run(leader.lead(quorum.order('refresh')));
    assertEqual(outcome.uninformed, []);
    await quorum.settle(1_000);
    for (const node of quorum.nodes.values()) {
      const record = node.held.shareRecord('shared');
      const isHolder = outcome.plan.holders.includes(node.node);
      assertEqual(record?.current?.group.epoch, isHolder ? outcome.plan.keys[0]?.epoch : undefined);
    }
    this.assertSigns();
  }

  /** Finds the newest epoch of which as many nodes as its threshold hold shares. */
  findAble(): { readonly nodes: readonly number[]; readonly threshold: number } {
    const groups = new Map<string, { nodes: number[]; threshold: number; epoch: number }>();
    for (const { node, keyring } of this.quorum.nodes.values()) {
      const group = keyring?.shareRecord('shared')?.current?.group;
      if (group === undefined) continue;
      const name = `${group.epoch} ${Buffer.concat(group.commitments).toString('hex')}`;
      const known = groups.get(name) ?? { nodes: [], threshold: group.threshold, epoch: group.epoch };
      known.nodes.push(node);
      groups.set(name, known);
    }
    const able = [...groups.values()].filter(({ nodes, threshold }) => nodes.length >= threshold);
    // No two sets of nodes sign in different epochs once all have met.
    assertEqual(able.length, 1);
    return able[0] ?? { nodes: [], threshold: 0 };
  }

  assertSigns(): void {
    const { nodes, threshold } = this.findAble();
    assertEqual(this.quorum.sign(nodes.slice(0, threshold)), this.publicKey);
    assertEqual(this.quorum.sign(nodes.slice(-threshold)), this.publicKey);
  }

  /** Every holder of an epoch in force has decided and recorded the same transcript before it confirmed. */
  assertDecided(): void {
    for (const { keyring } of this.quorum.nodes.values()) {
      const record = keyring?.shareRecord('shared');
      const { ceremony } = record?.history.at(-1) ?? {};
      if (record?.current === undefined || record.current === null || ceremony === undefined) continue;
      const transcripts = record.current.group.signers.map((signer) =>
        this.quorum
          .node(signer)
          .recorded.filter(({ plan }) => Buffer.from(plan.id).equals(ceremony))
          .map(({ transcript }) => Buffer.from(transcript).toString('hex')),
      );
      assertEqual(
        transcripts.every(([first]) => first !== undefined),
        true,
      );
      assertEqual(new Set(transcripts.flat()).size, 1);
    }
  }
}

function assertEqual(actual: unknown, expected: unknown): void {
  expect(actual).toEqual(expected);
}

async function play(seed: number): Promise<void> {
  const quorum = await MemoryQuorum.start({ nodes: NODES, seed });
  const game = new Play(seed, quorum);
  await game.begin();
  for (let step = 0; step < STEPS; step += 1) await game.step();
  await game.end();
}

describe('the shares of a quorum', () => {
  it(`survive ${COUNT} random schedules from seed ${FIRST} on`, async () => {
    let played = 0;
    for (let seed = FIRST; seed < FIRST + COUNT; seed += 1) {
      try {
        await play(seed);
        played += 1;
      } catch (error) {
        throw new Error(`play it again with MODEL_SEED=${seed}`, { cause: error });
      }
    }
    expect(played).toBe(COUNT);
  });
});
