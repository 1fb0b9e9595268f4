import { EgressRefusal } from './errors.ts';

export interface ConnectionLimits {
  /** Maximum of connections at once. */
  readonly max: number;
  /** Maximum of connections that wait for a place, and of the milliseconds that each waits. */
  readonly maxWaiting: number;
  readonly waitMs: number;
}

/** Cap on connections with a queue: one that comes when both are full, or waits too long, is refused. */
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

  /** Takes a place, and returns the function that gives it back. @throws EgressRefusal OVERLOADED */
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

  /** Gives a place to the connection that waits longest, without the place ever being free. */
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
