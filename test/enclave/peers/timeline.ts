/** Where a test's time passes: for real, or as fast as the machine computes and the same in every run. */
export interface Timeline {
  /** Milliseconds since the timeline began. */
  now(): number;
  /** Calls a function after so many milliseconds. */
  schedule(delayMs: number, act: () => void): void;
}

/** Time as the machine has it. */
export function createRealTimeline(): Timeline {
  const start = performance.now();
  return {
    now: () => performance.now() - start,
    schedule: (delayMs, act) => {
      if (delayMs <= 0) setImmediate(act);
      else setTimeout(act, delayMs);
    },
  };
}

interface Event {
  readonly at: number;
  readonly number: number;
  readonly act: () => void;
}

/** Virtual time: it passes where everything that is due has been done, one event after the other. */
export class VirtualTimeline implements Timeline {
  #now = 0;
  #scheduled = 0;
  /** Events in the order in which they are due. */
  #events: Event[] = [];
  readonly #held = new Set<Promise<unknown>>();

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, act: () => void): void {
    const event = { at: this.#now + Math.max(0, delayMs), number: this.#scheduled, act };
    this.#scheduled += 1;
    const index = this.#events.findLastIndex(({ at }) => at <= event.at);
    this.#events.splice(index + 1, 0, event);
  }

  /** Resolves after so many milliseconds of virtual time. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.schedule(delayMs, resolve);
    });
  }

  /** Lets no time pass until work that takes real time has been done. */
  async hold<Result>(work: Promise<Result>): Promise<Result> {
    this.#held.add(work);
    try {
      return await work;
    } finally {
      this.#held.delete(work);
    }
  }

  /** Lets time pass until a promise has settled, and returns its result. @throws Error where nothing is left to happen */
  async run<Result>(promise: Promise<Result>): Promise<Result> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (;;) {
      await drain();
      if (isSettled) return await promise;
      if (this.#held.size > 0) {
        await Promise.allSettled(this.#held);
        continue;
      }
      const next = this.#events.shift();
      if (next === undefined) throw new Error('nothing is left to happen, and the promise waits');
      this.#now = next.at;
      next.act();
    }
  }
}

/** Has all promises go on that can. */
function drain(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
