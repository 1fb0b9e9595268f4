/** Time as the channel knows it; tests hand in their own. */
export interface Timers {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back once after some milliseconds, unless the returned function is called before. */
  after(milliseconds: number, act: () => void): () => void;
}

/** The time of the process. Nothing that waits keeps the process alive. */
export const PROCESS_TIMERS: Timers = Object.freeze({
  now: () => performance.now(),
  after: (milliseconds: number, act: () => void) => {
    const timer = setTimeout(act, milliseconds).unref();
    return () => clearTimeout(timer);
  },
});
