import type { DropReason } from './carrier.ts';

/** The most datagrams, and bytes of them, that wait for one node. */
export const MAX_WAITING_DATAGRAMS = 512;
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Milliseconds after which a waiting datagram is of no use: the channel has sent it again long since. */
const MAX_WAIT_MS = 10_000;
/** Bytes that a datagram occupies besides its own, so that many small ones are bounded too. */
const OVERHEAD_BYTES = 128;

interface Waiting {
  readonly bytes: Uint8Array;
  readonly since: number;
}

/** Place of a datagram that was taken. */
const NONE: Waiting = { bytes: new Uint8Array(), since: 0 };

/**
 * Datagrams that wait for one node. The oldest are dropped where more wait than may, and where they have waited too
 * long: what is newer is what the other end still waits for.
 */
export class DatagramQueue {
  readonly #onDrop: (reason: DropReason, count: number) => void;
  readonly #clock: () => number;
  #items: Waiting[] = [];
  /** Index of the oldest: shifting an array of hundreds for each datagram would copy it. */
  #first = 0;
  #bytes = 0;
  #onItem: (() => void) | undefined;

  constructor(
    onDrop: (reason: DropReason, count: number) => void,
    clock: () => number = () => performance.now(),
  ) {
    this.#onDrop = onDrop;
    this.#clock = clock;
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  push(bytes: Uint8Array): void {
    this.#items.push({ bytes, since: this.#clock() });
    this.#bytes += bytes.length + OVERHEAD_BYTES;
    let dropped = 0;
    while (this.size > MAX_WAITING_DATAGRAMS || this.#bytes > MAX_WAITING_BYTES) {
      this.#take();
      dropped += 1;
    }
    if (dropped > 0) this.#onDrop('QUEUE_FULL', dropped);
    this.#onItem?.();
  }

  /** Takes the oldest datagram that is not too old; undefined where none waits. */
  shift(): Uint8Array | undefined {
    const oldest = this.#clock() - MAX_WAIT_MS;
    let stale = 0;
    let found: Uint8Array | undefined;
    while (found === undefined && this.size > 0) {
      const { bytes, since } = this.#take();
      if (since < oldest) stale += 1;
      else found = bytes;
    }
    if (stale > 0) this.#onDrop('STALE', stale);
    return found;
  }

  /** Sets the one callback for when a datagram comes. */
  onItem(callback: (() => void) | undefined): void {
    this.#onItem = callback;
  }

  #take(): Waiting {
    const item = this.#items[this.#first] ?? NONE;
    this.#items[this.#first] = NONE;
    this.#first += 1;
    this.#bytes -= item.bytes.length + OVERHEAD_BYTES;
    if (this.#first * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
