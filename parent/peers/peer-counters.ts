import type { ConnectOutcome, DropReason, EndReason } from './carrier.ts';

/** Datagrams and bytes that went one way. */
interface Traffic {
  frames: number;
  bytes: number;
}

/** Ways of a datagram, as seen from the enclave. */
export type Way = 'received' | 'sent';

/** Counts of one peer since the start. */
export interface PeerCounts {
  readonly sent: Traffic;
  readonly received: Traffic;
  /** Dropped datagrams, by `WAY/REASON`. */
  readonly dropped: Map<`${Way}/${DropReason}`, number>;
  readonly connects: Map<ConnectOutcome, number>;
  readonly ends: Map<EndReason, number>;
  heardAt: number | null;
  outcome: ConnectOutcome | null;
}

/** Counts by node. Nodes come from the configuration alone, so that no peer can make labels. */
export class PeerCounters {
  readonly #clock: () => number;
  readonly #counts = new Map<number, PeerCounts>();
  /** Frames of the enclave to a node that the configuration does not name. */
  unknown = 0;
  /** Connections that ended before they said whose they are, by reason. */
  readonly refused = new Map<ConnectOutcome, number>();

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  get nodes(): ReadonlyMap<number, PeerCounts> {
    return this.#counts;
  }

  of(node: number): PeerCounts {
    let counts = this.#counts.get(node);
    if (counts === undefined) {
      counts = {
        sent: { frames: 0, bytes: 0 },
        received: { frames: 0, bytes: 0 },
        dropped: new Map(),
        connects: new Map(),
        ends: new Map(),
        heardAt: null,
        outcome: null,
      };
      this.#counts.set(node, counts);
    }
    return counts;
  }

  /** Counts a datagram that was handed on. */
  carried(node: number, way: Way, bytes: number): void {
    const traffic = this.of(node)[way];
    traffic.frames += 1;
    traffic.bytes += bytes;
  }

  /** Notes that a node's parent has sent something. */
  heard(node: number): void {
    this.of(node).heardAt = this.#clock();
  }

  dropped(node: number, way: Way, reason: DropReason, count = 1): void {
    const { dropped } = this.of(node);
    const key = `${way}/${reason}` as const;
    dropped.set(key, (dropped.get(key) ?? 0) + count);
  }

  connected(node: number, outcome: ConnectOutcome): void {
    const counts = this.of(node);
    counts.outcome = outcome;
    counts.connects.set(outcome, (counts.connects.get(outcome) ?? 0) + 1);
  }

  ended(node: number, reason: EndReason): void {
    const { ends } = this.of(node);
    ends.set(reason, (ends.get(reason) ?? 0) + 1);
  }

  turnedAway(outcome: ConnectOutcome): void {
    this.refused.set(outcome, (this.refused.get(outcome) ?? 0) + 1);
  }
}
