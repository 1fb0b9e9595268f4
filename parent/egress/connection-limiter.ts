import { EgressRefusal } from './errors.ts';

export interface ConnectionLimits {
  /** How many may be inside at once. */
  readonly max: number;
  /** How many may wait for a place, and how long in milliseconds. */
  readonly maxWaiting: number;
  readonly waitMs: number;
}

/** A cap with a queue: who comes when both are full, or waits too long, is told so. */
export class ConnectionLimiter {
  readonly #limits: ConnectionLimits;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Returns what gives the place back. @throws EgressRefusal OVERLOADED */
  async enter(): Promise<() => void> {
    if (this.#inside >= this.#limits.max) await this.#wait();
    else this.#inside += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#leave();
    };
  }

  /** A place that is given back goes to the first who waits, without ever being free. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else next();
  }

  #wait(): Promise<void> {
    if (this.#waiting.size >= this.#limits.maxWaiting) return Promise.reject(overloaded());
    return new Promise((resolve, reject) => {
      const settle = (isIn: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(enter);
        if (isIn) resolve();
        else reject(overloaded());
      };
      const enter = () => settle(true);
      const timer = setTimeout(() => settle(false), this.#limits.waitMs);
      this.#waiting.add(enter);
    });
  }
}

function overloaded(): EgressRefusal {
  return new EgressRefusal('OVERLOADED', 'too many connections');
}
