import { deepEqual, equal, ok } from 'node:assert/strict';
import type { PoolKeyChange } from '../../../shared/api/pool-keys.ts';
import { creation, DAY, type PoolNode } from './pool-node.ts';

/** What is known of one key by someone who has only seen requests and responses. */
interface Known {
  readonly id: string;
  readonly publicKey: string | null;
  state: 'enabled' | 'disabled' | 'pending-deletion';
  deletionTime: number | null;
  description: string;
  aliases: string[];
}

const STEPS = 60;
const ALIASES = ['canton/a', 'canton/b', 'canton/c'];
export const MAXIMUM = 5;

/** A small generator of its own: mulberry32. */
function generator(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { below: (count: number) => Math.floor(next() * count), next };
}

interface Outcome {
  readonly code: string | undefined;
  readonly value: unknown;
}
const outcomeOf = (act: Promise<unknown>): Promise<Outcome> =>
  act.then(
    (value) => ({ code: undefined, value }),
    (error: { code?: string }) => ({ code: error.code ?? 'NO_CODE', value: undefined }),
  );

/** Plays random requests against a node that is cut off at random commits, and holds it against a model. */
export class Game {
  readonly #random: ReturnType<typeof generator>;
  readonly #tokens: ReturnType<typeof creation>[] = [];
  readonly #made = new Map<string, string>();
  #keys = new Map<string, Known>();
  #node: PoolNode;
  /** What the model may be after a request whose outcome nobody knows. */
  #doubt: (() => void) | undefined;

  constructor(node: PoolNode, seed: number) {
    this.#node = node;
    this.#random = generator(seed);
  }

  async play(): Promise<void> {
    for (let step = 0; step < STEPS; step += 1) {
      const kind = this.#random.below(10);
      if (kind === 0) await this.#restart();
      else if (kind === 1) this.#node.time.now += this.#random.below(5) * DAY;
      else await this.#request(kind);
      this.#expire();
      this.#compare();
    }
    await this.#restart();
    this.#compare();
  }

  async #restart(): Promise<void> {
    this.#node = await this.#node.restart();
    this.#expire();
  }

  async #request(kind: number): Promise<void> {
    // One request of four meets a commit that is lost, before or after it was carried out.
    const cut = this.#random.below(8);
    const { storage } = this.#node;
    let isCut = false;
    const fail = () => {
      isCut = true;
      throw new Error('the power is gone');
    };
    if (cut === 0) storage.onCommit = fail;
    if (cut === 1) storage.onCommitted = fail;
    const before = structuredClone(this.#keys);
    const made = new Map(this.#made);
    if (kind < 5) await this.#create();
    else await this.#change();
    storage.onCommit = () => undefined;
    storage.onCommitted = () => undefined;
    if (!isCut) return;
    // What the request would have done is there after the next start if its commit was, and nothing of it otherwise.
    if (cut === 0) {
      this.#keys = before;
      this.#made.clear();
      for (const [token, id] of made) this.#made.set(token, id);
    }
    await this.#restart();
    this.#settle();
  }

  #settle(): void {
    this.#doubt?.();
    this.#doubt = undefined;
  }

  async #create(): Promise<void> {
    const isOld = this.#tokens.length > 0 && this.#random.below(3) === 0;
    const old = this.#tokens[this.#random.below(this.#tokens.length)];
    const body = isOld && old !== undefined ? old : creation({ description: 'participant-1' });
    if (!isOld) this.#tokens.push(body);
    const count = 1 + this.#random.below(3);
    const known = this.#made.get(body.token);
    const isHeld = known !== undefined && this.#keys.has(known);
    const isFull = this.#keys.size >= MAXIMUM;
    // The same creation may arrive several times at once.
    const outcomes = await Promise.all(
      Array.from({ length: count }, () => outcomeOf(this.#node.pools.create('participant', 'canton', body))),
    );
    const ids = new Set(
      outcomes.flatMap(({ value }) =>
        value === undefined ? [] : [(value as { result: { id: string } }).result.id],
      ),
    );
    if (outcomes.some(({ code }) => code === 'STORE_UNCERTAIN')) {
      // Whether there is a key now is what the store says.
      if (!isHeld && !isFull) this.#doubt = () => this.#adopt(body.token);
      return;
    }
    if (isHeld) {
      deepEqual([...ids], [known]);
      return;
    }
    if (isFull) {
      deepEqual(
        outcomes.map(({ code }) => code),
        outcomes.map(() => 'POOL_FULL'),
      );
      return;
    }
    equal(ids.size, 1);
    this.#adopt(body.token, [...ids][0]);
  }

  /** Takes a key that is there and was not known before as the one of a token. */
  #adopt(token: string, expected?: string): void {
    const unknown = this.#node.keys.list('canton').filter(({ id }) => !this.#keys.has(id));
    ok(unknown.length <= 1);
    const [found] = unknown;
    if (expected !== undefined) equal(found?.id, expected);
    if (found === undefined) return;
    equal(found.token, token);
    this.#made.set(token, found.id);
    this.#keys.set(found.id, {
      id: found.id,
      publicKey: found.publicKey,
      state: 'enabled',
      deletionTime: null,
      description: 'participant-1',
      aliases: [],
    });
  }

  async #change(): Promise<void> {
    const keys = [...this.#keys.values()];
    const key = keys[this.#random.below(keys.length)];
    if (key === undefined) return;
    const change = this.#drawChange();
    const predicted = structuredClone(this.#keys);
    const code = this.#predict(predicted, key.id, change);
    const outcome = await outcomeOf(this.#node.pools.change('participant', key.id, change));
    if (outcome.code === 'STORE_UNCERTAIN') {
      if (code === undefined) this.#keys = predicted;
      return;
    }
    equal(outcome.code, code, JSON.stringify(change));
    if (code === undefined) this.#keys = predicted;
  }

  #drawChange(): PoolKeyChange {
    const alias = ALIASES[this.#random.below(ALIASES.length)] ?? '';
    const changes: readonly PoolKeyChange[] = [
      { change: 'add-alias', alias },
      { change: 'move-alias', alias },
      { change: 'remove-alias', alias },
      { change: 'enable' },
      { change: 'disable' },
      { change: 'schedule-deletion', days: 7 + this.#random.below(3) },
      { change: 'cancel-deletion' },
      { change: 'describe', description: `participant-${this.#random.below(100)}` },
    ];
    return changes[this.#random.below(changes.length)] ?? { change: 'enable' };
  }

  /** Applies a change to a model, by rules that are written a second time here. */
  #predict(keys: Map<string, Known>, id: string, change: PoolKeyChange): string | undefined {
    const key = keys.get(id);
    if (key === undefined) return 'UNKNOWN_KEY';
    const owner =
      'alias' in change
        ? [...keys.values()].find(({ aliases }) => aliases.includes(change.alias))
        : undefined;
    const isPending = key.state === 'pending-deletion';
    if (change.change === 'move-alias') {
      if (owner === undefined) return 'ALIAS_UNKNOWN';
      if (owner.id === id) return undefined;
    }
    if (isPending && change.change !== 'cancel-deletion' && change.change !== 'remove-alias')
      return 'KEY_PENDING_DELETION';
    if (change.change === 'add-alias') {
      if (owner !== undefined) return 'ALIAS_EXISTS';
      key.aliases.push(change.alias);
    } else if (change.change === 'move-alias' && owner !== undefined) {
      owner.aliases = owner.aliases.filter((each) => each !== change.alias);
      key.aliases.push(change.alias);
    } else if (change.change === 'remove-alias') {
      if (owner?.id !== id) return 'ALIAS_UNKNOWN';
      key.aliases = key.aliases.filter((each) => each !== change.alias);
    } else if (change.change === 'enable') key.state = 'enabled';
    else if (change.change === 'disable') key.state = 'disabled';
    else if (change.change === 'describe') key.description = change.description;
    else if (change.change === 'schedule-deletion') {
      key.state = 'pending-deletion';
      key.deletionTime = this.#node.time.now + change.days * DAY;
    } else if (change.change === 'cancel-deletion') {
      if (!isPending) return 'KEY_NOT_PENDING_DELETION';
      key.state = 'disabled';
      key.deletionTime = null;
    }
    return undefined;
  }

  #expire(): void {
    for (const { id, deletionTime } of this.#keys.values())
      if (deletionTime !== null && deletionTime <= this.#node.time.now) this.#keys.delete(id);
  }

  #compare(): void {
    const held = this.#node.keys
      .list('canton')
      .map(({ id, publicKey, state, deletionTime, description, aliases }) => ({
        id,
        publicKey,
        state,
        deletionTime,
        description,
        aliases: aliases.toSorted(),
      }));
    const known = [...this.#keys.values()].map((key) => ({ ...key, aliases: key.aliases.toSorted() }));
    const byId = (one: { id: string }, other: { id: string }) => (one.id < other.id ? -1 : 1);
    deepEqual(held.toSorted(byId), known.toSorted(byId));
    this.#compareLog();
  }

  /** Each key that is held has one entry that tells of its making, and no entry tells of another one. */
  #compareLog(): void {
    const made = this.#node
      .decisions()
      .filter(
        ({ request, outcome, failure }) =>
          request.operation === 'create-key' && outcome === 'permitted' && failure === null,
      )
      .flatMap(({ request }) => request.poolKey?.id ?? []);
    for (const id of this.#keys.keys()) ok(made.includes(id));
    const everHeld = new Set(this.#made.values());
    for (const id of made) ok(everHeld.has(id));
  }
}
