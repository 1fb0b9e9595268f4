import { PeerError } from '../../../enclave/peers/errors.ts';
import {
  type CallOptions,
  MAX_PEER_BODY_BYTES,
  type PeerHandler,
  type PeerIdentity,
  type PeerNetwork,
  type PeerStatus,
} from '../../../enclave/peers/peer-network.ts';
import { errorCode } from '../../../shared/errors.ts';
import { Random } from './random.ts';
import { createRealTimeline, type Timeline } from './timeline.ts';

/** What goes wrong between nodes, as probabilities and milliseconds. */
export interface NetworkFaults {
  /** Part of the requests, and of the answers, that are lost. */
  readonly drop: number;
  /** Part of the calls that are carried out twice, as by a caller that repeats one whose answer was lost. */
  readonly duplicate: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

const NO_FAULTS: NetworkFaults = { drop: 0, duplicate: 0, minDelayMs: 0, maxDelayMs: 0 };

export interface MemoryNetworkOptions {
  readonly seed?: number;
  readonly faults?: Partial<NetworkFaults>;
  /** Real time when left out. */
  readonly timeline?: Timeline;
}

/** A call as it is delivered. */
export interface Delivery {
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  readonly body: Uint8Array;
}

/**
 * The network of a quorum in memory: calls and answers are lost, late and, where asked for, carried out twice, as a seed
 * has it; nodes crash, restart and are parted. What one node sends to another arrives in order.
 */
export class MemoryNetwork {
  readonly timeline: Timeline;
  readonly #random: Random;
  readonly #nodes = new Map<number, MemoryPeer>();
  readonly #lastArrival = new Map<string, number>();
  /** The group of each node while the network is parted. */
  #groups: ReadonlyMap<number, number> = new Map();
  /** Pairs of nodes that do not reach each other, whatever the groups. */
  readonly #apart = new Set<string>();
  faults: NetworkFaults;
  /** Called with each call before it is delivered; false loses it. */
  onDelivery: (delivery: Delivery) => boolean = () => true;
  /** Called with each answer before it goes back; false loses it. */
  onAnswer: (delivery: Delivery) => boolean = () => true;

  constructor({ seed = 0, faults = {}, timeline = createRealTimeline() }: MemoryNetworkOptions = {}) {
    this.#random = new Random(seed);
    this.faults = { ...NO_FAULTS, ...faults };
    this.timeline = timeline;
  }

  /** Starts a node, or starts it anew: whatever it served or waited for before has ended. */
  start(identity: PeerIdentity, peers: readonly number[]): PeerNetwork {
    this.crash(identity.node);
    const peer = new MemoryPeer(this, identity, peers);
    this.#nodes.set(identity.node, peer);
    this.timeline.schedule(0, () => {
      for (const other of this.#nodes.values()) this.#tellSession(peer, other);
    });
    return peer;
  }

  /** Ends a node: its calls end with PEER_CLOSED, and calls to it without an answer. */
  crash(node: number): void {
    this.#nodes.get(node)?.close();
    this.#nodes.delete(node);
  }

  isUp(node: number): boolean {
    return this.#nodes.has(node);
  }

  /** Parts the network: nodes of different groups do not reach each other, and a node of no group reaches nobody. */
  part(groups: readonly (readonly number[])[]): void {
    this.#groups = new Map(
      groups.flatMap((nodes, group) => nodes.map((node): [number, number] => [node, group])),
    );
  }

  /** Ends the parting; nodes that reach each other again begin sessions. */
  heal(): void {
    if (this.#groups.size === 0) return;
    const parted = this.#groups;
    this.#groups = new Map();
    const nodes = [...this.#nodes.values()];
    for (const [index, one] of nodes.entries()) {
      for (const other of nodes.slice(index + 1)) {
        if (!isTogether(parted, one.self, other.self)) this.#tellSession(one, other);
      }
    }
  }

  /** Parts two nodes, which reach all others. */
  separate(one: number, other: number): void {
    this.#apart.add(namePair(one, other));
  }

  /** Has two nodes that were parted begin a session. */
  reunite(one: number, other: number): void {
    this.#apart.delete(namePair(one, other));
    const [first, second] = [this.#nodes.get(one), this.#nodes.get(other)];
    if (first !== undefined && second !== undefined) this.#tellSession(first, second);
  }

  /** The node that serves, where the caller reaches it. */
  reach(from: number, to: number): MemoryPeer | undefined {
    if (this.#apart.has(namePair(from, to))) return undefined;
    return isTogether(this.#groups, from, to) ? this.#nodes.get(to) : undefined;
  }

  /** Carries a call and its answer. */
  async carry(
    caller: MemoryPeer,
    delivery: Delivery,
    { timeoutMs, signal }: CallOptions,
  ): Promise<Uint8Array> {
    if (signal?.aborted === true)
      throw new PeerError('PEER_UNREACHABLE', 'the call was given up', { node: delivery.to });
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const giveUp = () =>
      reject(new PeerError('PEER_UNREACHABLE', 'no answer in time', { node: delivery.to }));
    this.timeline.schedule(timeoutMs, giveUp);
    signal?.addEventListener('abort', giveUp);
    const isLate = () => !caller.isOpen;
    const times = this.#random.chance(this.faults.duplicate) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      const isLost = this.#random.chance(this.faults.drop) || !this.onDelivery(delivery);
      if (isLost) continue;
      this.#deliver(delivery.from, delivery.to, () => {
        const callee = this.reach(delivery.from, delivery.to);
        if (callee === undefined || isLate()) return;
        callee.answer(caller.own, delivery).then(
          (body) => this.#answer(callee, { ...delivery, body }, () => resolve(body)),
          (error: unknown) =>
            this.#answer(callee, delivery, () =>
              reject(new PeerError('PEER_REFUSED', 'the node has refused', { code: errorCode(error) })),
            ),
        );
      });
    }
    caller.onClose(() => reject(new PeerError('PEER_CLOSED', 'this node is stopping')));
    return await promise;
  }

  #answer(callee: MemoryPeer, delivery: Delivery, settle: () => void): void {
    if (!callee.isOpen || this.#random.chance(this.faults.drop) || !this.onAnswer(delivery)) return;
    this.#deliver(delivery.to, delivery.from, () => {
      if (this.reach(delivery.to, delivery.from) !== undefined) settle();
    });
  }

  /** Schedules an arrival, after all that was sent on the same way before. */
  #deliver(from: number, to: number, act: () => void): void {
    const { minDelayMs, maxDelayMs } = this.faults;
    const now = this.timeline.now();
    const way = `${from}>${to}`;
    const earliest = this.#lastArrival.get(way) ?? 0;
    const arrival = Math.max(earliest, now + minDelayMs + this.#random.next() * (maxDelayMs - minDelayMs));
    this.#lastArrival.set(way, arrival);
    this.timeline.schedule(arrival - now, act);
  }

  #tellSession(one: MemoryPeer, other: MemoryPeer): void {
    if (one === other || !one.isOpen || !other.isOpen) return;
    if (!one.peers.includes(other.self) || !other.peers.includes(one.self)) return;
    if (this.reach(one.self, other.self) !== other) return;
    one.tell(other.own);
    other.tell(one.own);
  }
}

const namePair = (one: number, other: number) => [one, other].toSorted((a, b) => a - b).join(' ');

function isTogether(groups: ReadonlyMap<number, number>, one: number, other: number): boolean {
  return groups.size === 0 || (groups.has(one) && groups.get(one) === groups.get(other));
}

/** One boot of a node in the network. */
export class MemoryPeer implements PeerNetwork {
  readonly own: PeerIdentity;
  readonly peers: readonly number[];
  readonly #network: MemoryNetwork;
  readonly #handlers = new Map<string, PeerHandler>();
  readonly #listeners: ((identity: PeerIdentity) => void)[] = [];
  readonly #closed = new Set<() => void>();
  isOpen = true;

  constructor(network: MemoryNetwork, own: PeerIdentity, peers: readonly number[]) {
    this.#network = network;
    this.own = own;
    this.peers = [...peers].toSorted((a, b) => a - b);
  }

  get self(): number {
    return this.own.node;
  }

  identity(node: number): PeerIdentity | undefined {
    if (!this.peers.includes(node)) return undefined;
    return this.#network.reach(this.self, node)?.own;
  }

  async call(node: number, kind: string, body: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    if (!this.isOpen) throw new PeerError('PEER_CLOSED', 'this node is stopping');
    if (!this.peers.includes(node)) throw new PeerError('PEER_UNKNOWN', 'no such node', { node });
    if (body.length > MAX_PEER_BODY_BYTES)
      throw new RangeError(`expected a body of at most ${MAX_PEER_BODY_BYTES} bytes`);
    const delivery = { from: this.self, to: node, kind, body: body.slice() };
    return await this.#network.carry(this, delivery, options);
  }

  serve(kind: string, handler: PeerHandler): void {
    if (this.#handlers.has(kind)) throw new RangeError(`${kind} has a handler`);
    this.#handlers.set(kind, handler);
  }

  onSession(listener: (identity: PeerIdentity) => void): void {
    this.#listeners.push(listener);
  }

  status(): readonly PeerStatus[] {
    return this.peers.map((node) => {
      const identity = this.identity(node) ?? null;
      const state = identity === null ? 'connecting' : 'connected';
      return { node, state, code: null, theirCode: null, since: 0, lastSeen: null, identity };
    });
  }

  async answer(from: PeerIdentity, { kind, body }: Delivery): Promise<Uint8Array> {
    const handler = this.#handlers.get(kind);
    if (handler === undefined) throw new PeerError('PEER_UNKNOWN', 'nothing answers such a call', { kind });
    const answered = await handler(from, body.slice());
    if (answered.length > MAX_PEER_BODY_BYTES)
      throw new RangeError(`expected an answer of at most ${MAX_PEER_BODY_BYTES} bytes`);
    return answered.slice();
  }

  tell(identity: PeerIdentity): void {
    for (const listener of this.#listeners) listener(identity);
  }

  onClose(act: () => void): void {
    if (this.isOpen) this.#closed.add(act);
    else act();
  }

  close(): void {
    this.isOpen = false;
    for (const act of this.#closed) act();
    this.#closed.clear();
  }
}
