import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientError } from '../../../../client/index.ts';
import type { SignRequest } from '../../../../shared/api/bodies.ts';
import { listServedKeys } from '../../../../client/gateway/tezos/index.ts';
import {
  HASH_HEX,
  header,
  MAINNET_CHAIN,
  preattestation,
} from '../../../policy/transactions/tezos/consensus-samples.ts';
import { BAKING, type Door, type DoorResponse, NodeInProcess, openDoor } from './node-in-process.ts';

/** Plays of up to 40 actions each; fast-check prints the seed and the shortest play of a failure. */
const RUNS = 40;
const KEYS = ['tz1', 'tz3'] as const;
type Key = (typeof KEYS)[number];
type Step = 'block' | 'preattestation' | 'attestation' | 'attestation-with-dal';

interface Statement {
  readonly key: Key;
  readonly step: Step;
  readonly level: number;
  readonly round: number;
  /** One of two proposals of the round. */
  readonly proposal: 0 | 1;
  /** Further bytes in which statements of one place differ. */
  readonly variant: 0 | 1;
}

const int32 = (value: number) => value.toString(16).padStart(8, '0');
const HASHES = [HASH_HEX, 'ee'.repeat(32)];

/** Writes a statement by the offsets that were seen in Signatory and Octez. */
function write({ step, level, round, proposal, variant }: Statement): string {
  const payloadHash = HASHES[proposal] ?? HASH_HEX;
  const fields = { level, round, payloadHash };
  if (step === 'block') return header({ ...fields, payloadRound: 0, timestamp: 1_790_000_000 + variant });
  if (step === 'preattestation') return preattestation({ ...fields, slot: 3 + variant });
  const isDal = step === 'attestation-with-dal';
  const slot = (3 + variant).toString(16).padStart(4, '0');
  const content = `${slot}${int32(level)}${int32(round)}${payloadHash}${isDal ? '01' : ''}`;
  return `13${MAINNET_CHAIN}${HASH_HEX}${isDal ? '17' : '15'}${content}`;
}

/** What the chain would punish: two statements of one duty, or of two proposals, or of a place that was passed. */
class Chain {
  readonly #released = new Map<
    Key,
    {
      readonly place: readonly [number, number];
      readonly duty: string;
      readonly bytes: string;
      readonly proposal: number;
    }[]
  >();

  release({ key, step, level, round, proposal }: Statement, bytes: string): void {
    const before = this.#released.get(key) ?? [];
    const duty = step.startsWith('attestation') ? 'attestation' : step;
    for (const other of before) {
      const [otherLevel, otherRound] = other.place;
      const isSamePlace = otherLevel === level && otherRound === round;
      if (isSamePlace && other.duty === duty && other.bytes !== bytes)
        throw new Error(`two statements of one ${duty} at ${level}.${round}`);
      if (isSamePlace && other.proposal !== proposal) throw new Error(`two proposals at ${level}.${round}`);
      const isPassed = otherLevel > level || (otherLevel === level && otherRound > round);
      if (isPassed) throw new Error(`${duty} at ${level}.${round} after ${otherLevel}.${otherRound}`);
    }
    this.#released.set(key, [...before, { place: [level, round], duty, bytes, proposal }]);
  }
}

interface Burst {
  readonly do: 'burst';
  readonly statement: Statement;
  readonly count: number;
  /** Whether the node dies while it decides. */
  readonly isCutOff: boolean;
}

type Action =
  | { readonly do: 'sign'; readonly statement: Statement; readonly door: 0 | 1 }
  | Burst
  | { readonly do: 'crash' | 'reopen-doors' | 'lose-response' | 'fail-commit' | 'lose-commit' }
  | { readonly do: 'advance' };

const statement = fc.record({
  key: fc.constantFrom(...KEYS),
  step: fc.constantFrom<Step>('block', 'preattestation', 'attestation', 'attestation-with-dal'),
  level: fc.integer({ min: 1, max: 3 }),
  round: fc.integer({ min: 0, max: 1 }),
  proposal: fc.constantFrom(0 as const, 1 as const),
  variant: fc.constantFrom(0 as const, 1 as const),
});
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('sign' as const),
      statement,
      door: fc.constantFrom(0 as const, 1 as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('burst' as const),
      statement,
      count: fc.integer({ min: 2, max: 40 }),
      isCutOff: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'reopen-doors', 'lose-response', 'fail-commit', 'lose-commit'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const) }) },
);

/** A node that may die at any step, two doors in front of it, and the chain that sees whatever has left the enclave. */
class Play {
  readonly #chain = new Chain();
  readonly #hashes = new Map<string, string>();
  #node: NodeInProcess;
  #doors: readonly Door[] = [];
  #height = 0;
  #isLosing = false;
  /** Statements by their bytes. */
  readonly #asked = new Map<string, Statement>();

  private constructor(node: NodeInProcess) {
    this.#node = node;
    node.onDecided = (request) => this.#see(request);
  }

  static async open(): Promise<Play> {
    const play = new Play(await new NodeInProcess([{ ...BAKING, keys: [...KEYS] }], KEYS).boot());
    for (const { id, hash } of listServedKeys(await play.#node.keys(), undefined)) play.#hashes.set(id, hash);
    play.#openDoors();
    return play;
  }

  #openDoors(): void {
    this.#doors = [openDoor(this.#node), openDoor(this.#node)];
  }

  /** Ends the enclave and starts another on what was committed. */
  async #restart(): Promise<void> {
    this.#node.crash();
    this.#isLosing = false;
    await this.#node.boot();
  }

  /** Asks by the first door. @returns the HTTP status */
  async ask(statement: Statement): Promise<number> {
    return (await this.#ask(statement, 0)).status;
  }

  async act(next: Action): Promise<void> {
    const { storage } = this.#node;
    switch (next.do) {
      case 'sign':
        return void (await this.#sign(next.statement, next.door));
      case 'burst':
        return await this.#burst(next);
      case 'advance':
        this.#height += 1;
        return undefined;
      case 'reopen-doors':
        return this.#openDoors();
      case 'crash':
        return await this.#restart();
      case 'lose-response':
        this.#isLosing = true;
        return undefined;
      case 'fail-commit':
        storage.onCommit = () => {
          throw new Error('the parent is gone');
        };
        return undefined;
      case 'lose-commit':
        storage.onCommitted = () => {
          throw new Error('the parent was gone a moment later');
        };
        return undefined;
    }
  }

  /** Tells the chain what has left the enclave: a parent has it, whether the client gets it or not. */
  #see({ key, payload }: SignRequest): void {
    const bytes = 'operation' in payload ? payload.operation : '';
    const statement = this.#asked.get(bytes);
    if (statement === undefined) throw new Error('expected a statement that was asked for');
    this.#chain.release({ ...statement, key: key as Key }, bytes);
    if (!this.#isLosing) return;
    this.#isLosing = false;
    throw new ClientError('ANSWER_LOST', 'the connection broke');
  }

  async #ask(statement: Statement, door: number): Promise<DoorResponse> {
    const bytes = write(statement);
    this.#asked.set(bytes, statement);
    const asked = this.#doors[door];
    if (asked === undefined) throw new Error('expected a door');
    return await asked.post(this.#hashes.get(statement.key) ?? '', bytes);
  }

  async #sign(relative: Statement, door: number): Promise<void> {
    const statement = { ...relative, level: relative.level + this.#height };
    const response = await this.#ask(statement, door);
    expect([200, 409, 500]).toContain(response.status);
    if (response.status === 409) return;
    const isLost = response.code === 'ANSWER_LOST';
    if (response.status === 500 && !isLost) {
      // A node that cannot write ends; nothing of what it was asked for has left it.
      await this.#restart();
      expect([200, 409]).toContain((await this.#ask(statement, door)).status);
      return;
    }
    // Whoever has got a signature, or lost it on the way, gets it again by whichever door.
    this.#isLosing = false;
    const again = await this.#ask(statement, 1 - door);
    if (again.status === 500) return await this.#restart();
    expect(again.status).toBe(200);
    if (statement.key === 'tz1' && !isLost) expect(again.body).toBe(response.body);
  }

  /** Asks for two statements of one duty at once: all of one are signed, and none of the other. */
  async #burst({ statement: relative, count, isCutOff }: Burst): Promise<void> {
    const level = relative.level + this.#height + 3;
    this.#height += 3;
    const pair = [0, 1].map((variant) => ({ ...relative, level, variant }) as Statement);
    const asking = Promise.all(
      Array.from({ length: count }, (_, index) => this.#ask(pair[index % 2] ?? relative, (index >> 1) % 2)),
    );
    if (isCutOff) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.#restart();
    }
    const responses = await asking;
    if (responses.some(({ status }) => status === 500)) return await this.#restart();
    const signed = pair.map((_, which) =>
      responses.filter(({ status }, index) => index % 2 === which && status === 200),
    );
    const halves = [Math.ceil(count / 2), Math.floor(count / 2)];
    const winner = signed[0]?.length === 0 ? 1 : 0;
    expect(signed[winner]).toHaveLength(halves[winner] ?? -1);
    expect(signed[1 - winner]).toHaveLength(0);
  }
}

describe('a baker behind a door', () => {
  it('is never given two statements of one duty, over crashes, lost responses, commits that fail and two doors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const play = await Play.open();
        for (const next of actions) await play.act(next);
      }),
      { numRuns: RUNS },
    );
  });

  it('is given one of two blocks, to all that ask for it, where forty ask at once', async () => {
    const play = await Play.open();
    for (const [index, key] of KEYS.entries()) {
      const statement = { key, step: 'block', level: 1, round: 0, proposal: 0, variant: 0 } as const;
      await play.act({ do: 'burst', statement, count: 40, isCutOff: index > 5 });
    }
  });

  it('is refused the other attestation of a round that one with DAL content was signed for', async () => {
    const play = await Play.open();
    const place = { key: 'tz1', level: 1, round: 0, proposal: 0, variant: 0 } as const;
    expect(await play.ask({ ...place, step: 'block' })).toBe(200);
    expect(await play.ask({ ...place, step: 'attestation-with-dal' })).toBe(200);
    expect(await play.ask({ ...place, step: 'attestation' })).toBe(409);
    expect(await play.ask({ ...place, step: 'preattestation' })).toBe(409);
    expect(await play.ask({ ...place, step: 'attestation-with-dal' })).toBe(200);
    expect(await play.ask({ ...place, step: 'attestation', round: 1 })).toBe(200);
  });
});
