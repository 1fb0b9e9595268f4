import type { Timers } from '../../../enclave/peers/timers.ts';

interface Timer {
  readonly at: number;
  readonly act: () => void;
}

/** Time that passes when nothing else is to be done. */
export class VirtualTime implements Timers {
  #now = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, milliseconds), act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lets time pass until something holds. @returns whether it came to hold within that many milliseconds */
  async until(holds: () => boolean, milliseconds: number): Promise<boolean> {
    const end = this.#now + milliseconds;
    for (;;) {
      // Promises that are settled go on before time does.
      await new Promise(setImmediate);
      if (holds()) return true;
      const [next] = [...this.#timers].toSorted((one, other) => one.at - other.at);
      if (next === undefined || next.at > end) {
        this.#now = end;
        return holds();
      }
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
  }

  /** Lets that many milliseconds pass. */
  async pass(milliseconds: number): Promise<void> {
    await this.until(() => false, milliseconds);
  }
}
