import { FrameError } from './errors.ts';

/** A timer and a signal that end a wait; disposing of the deadline releases both. */
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

  /** Starts the timer anew with that many milliseconds; `Infinity` stops it. */
  arm(timeoutMs: number): void {
    clearTimeout(this.#timer);
    if (timeoutMs === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#timedOut = true;
      this.#fire();
    }, timeoutMs);
  }

  /** Sets the one callback for when the deadline passes. */
  onPassed(callback: (() => void) | undefined): void {
    this.#onPassed = callback;
  }

  /** Asserts that the deadline has not passed. @throws FrameError FRAME_ABORTED, FRAME_TIMEOUT */
  assertNotPassed(): void {
    if (this.#signal?.aborted === true) throw new FrameError('FRAME_ABORTED', 'the signal was aborted');
    if (this.#timedOut) throw new FrameError('FRAME_TIMEOUT', 'the deadline has passed');
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#onPassed = undefined;
    this.#signal?.removeEventListener('abort', this.#fire);
  }
}
