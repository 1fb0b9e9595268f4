/** Counters behind the highest one that may still come. */
const WINDOW = 2_048;

/** Remembers which counters have come, as RFC 4303 (section 3.4.3) does, so that none is taken twice. */
export class ReplayWindow {
  #end = 0;
  readonly #seen = new Uint8Array(WINDOW);

  /** Whether a counter has not come yet, and is not so old that nobody knows. */
  isFresh(counter: number): boolean {
    if (counter >= this.#end) return true;
    return counter >= this.#end - WINDOW && this.#seen[counter % WINDOW] === 0;
  }

  /** Remembers a counter, after what came with it has proved to be authentic. */
  mark(counter: number): void {
    if (counter >= this.#end) {
      const skipped = Math.min(counter - this.#end, WINDOW);
      for (let index = 0; index < skipped; index += 1) this.#seen[(this.#end + index) % WINDOW] = 0;
      if (counter - this.#end >= WINDOW) this.#seen.fill(0);
      this.#end = counter + 1;
    }
    this.#seen[counter % WINDOW] = 1;
  }
}
