import { FrameError } from './errors.ts';

/** A timer and a signal that end a wait; disposing of it takes both away. */
export class Deadline {
  readonly #signal: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timedOut = false;
  #onPassed: (() => void) | undefined;
  readonly #fire = () => this.#onPassed?.();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#fire);
  }

  /** Starts anew with that many milliseconds; `Infinity` for none. */
  arm(timeoutMs: number): void {
    clearTimeout(this.#timer);
    if (timeoutMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#fire();
    }, timeoutMs);
  }

  /** Calls back once it has passed, in place of whom it called before. */
  onPassed(callback: (() => void) | undefined): void {
    this.#onPassed = callback;
  }

  /** @throws FrameError FRAME_ABORTED, FRAME_TIMEOUT */
  assertNotPassed(): void {
    if (this.#signal?.aborted === true) throw new FrameError('FRAME_ABORTED', 'given up');
    if (this.#timedOut) throw new FrameError('FRAME_TIMEOUT', 'the deadline has passed');
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#onPassed = undefined;
    this.#signal?.removeEventListener('abort', this.#fire);
  }
}
