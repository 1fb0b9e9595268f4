/** Weight of the newest of the times that a node took. */
const NEWEST_SHARE = 0.25;
/** Milliseconds that a node which failed, or was slow, is asked last. */
const SUSPECTED_MS = 10_000;
/** Milliseconds until another node is asked beside a slow one: at least, at most, and where no time is known. */
const MIN_HEDGE_MS = 50;
const MAX_HEDGE_MS = 1_000;
const FIRST_HEDGE_MS = 250;
/** Requests beside slow nodes at once: this many, or that part of all that are under way, so that load adds no load. */
const MIN_HEDGED = 2;
const HEDGED_SHARE = 0.125;
/** How many times as long as usual a node may take before another is asked. */
const HEDGE_FACTOR = 4;

interface Health {
  /** Milliseconds that a call takes, the newest weighing most; undefined before the first. */
  latencyMs: number | undefined;
  /** Time until which the node is asked last, by the monotonic clock. */
  suspectedUntil: number;
}

/** What a coordinator has seen of the other nodes: whom to ask first, and when a node is slow. */
export class PeerHealth {
  readonly #now: () => number;
  readonly #nodes = new Map<number, Health>();
  #underWay = 0;
  #hedged = 0;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Counts a request as long as it is under way; `hedge` takes a place beside slow nodes, where there is one. */
  begin(): { readonly hedge: () => boolean; readonly end: () => void } {
    this.#underWay += 1;
    let hedges = 0;
    return {
      hedge: () => {
        if (hedges === 0 && this.#hedged >= Math.max(MIN_HEDGED, HEDGED_SHARE * this.#underWay)) return false;
        if (hedges === 0) this.#hedged += 1;
        hedges += 1;
        return true;
      },
      end: () => {
        this.#underWay -= 1;
        if (hedges > 0) this.#hedged -= 1;
      },
    };
  }

  /** Notes that a node has answered. */
  answered(node: number, milliseconds: number): void {
    const health = this.#of(node);
    const before = health.latencyMs ?? milliseconds;
    health.latencyMs = before + NEWEST_SHARE * (milliseconds - before);
    health.suspectedUntil = 0;
  }

  /** Notes that a node was slow, did not answer or misbehaved. */
  suspect(node: number): void {
    this.#of(node).suspectedUntil = this.#now() + SUSPECTED_MS;
  }

  /** Orders nodes: those that are not suspected first, of those the ones that were never asked, then the quickest. */
  order(nodes: readonly number[]): number[] {
    const now = this.#now();
    const rank = (node: number): readonly [number, number] => {
      const { latencyMs = -1, suspectedUntil = 0 } = this.#nodes.get(node) ?? {};
      return [suspectedUntil > now ? 1 : 0, latencyMs];
    };
    return nodes.toSorted((one, other) => {
      const [a, b] = [rank(one), rank(other)];
      return a[0] - b[0] || a[1] - b[1];
    });
  }

  /** Milliseconds after which nodes that have not all answered are slow. */
  hedgeAfter(nodes: readonly number[]): number {
    const latencies = nodes.map((node) => this.#nodes.get(node)?.latencyMs);
    const usual = latencies.includes(undefined) ? undefined : Math.max(...latencies.map((ms) => ms ?? 0));
    if (usual === undefined) return FIRST_HEDGE_MS;
    return Math.min(MAX_HEDGE_MS, Math.max(MIN_HEDGE_MS, HEDGE_FACTOR * usual));
  }

  #of(node: number): Health {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const health: Health = { latencyMs: undefined, suspectedUntil: 0 };
    this.#nodes.set(node, health);
    return health;
  }
}
