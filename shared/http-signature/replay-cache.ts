/** Seconds by which a signature's time of creation may differ from the verifier's clock, either way. */
export const SIGNATURE_WINDOW_SECONDS = 60;

export type ReplayVerdict = 'admitted' | 'replayed' | 'expired' | 'full';

/** The most requests remembered: enough for 4,000 requests a second of one client, in at most 30 MB. */
const DEFAULT_CAPACITY = 2 ** 19;
const DEFAULT_CLIENT_CAPACITY = 2 ** 18;

interface ClientRecord {
  size: number;
  /** Nonces by the second of creation: they leave by whole seconds. */
  readonly nonces: Map<number, Set<string>>;
}

/**
 * Remembers accepted requests for as long as their signatures are current. A replay repeats client,
 * second and nonce, all of which are signed, so that these three identify it; the signature itself would not.
 * The memory is bounded, in all and for each client, and a full cache admits nothing: one client alone can keep out
 * itself and nobody else.
 *
 * Expired signatures stay expired when the clock is set back: they have been forgotten, and would be admitted again.
 */
export class ReplayCache {
  readonly #capacity: number;
  readonly #clientCapacity: number;
  readonly #clients = new Map<string, ClientRecord>();
  #size = 0;
  /** Signatures created before this second have expired for good. */
  #horizon = Number.NEGATIVE_INFINITY;

  constructor({ capacity = DEFAULT_CAPACITY, clientCapacity = DEFAULT_CLIENT_CAPACITY } = {}) {
    this.#capacity = capacity;
    this.#clientCapacity = clientCapacity;
  }

  /**
   * Admits each request once. Callers pass verified requests only, or strangers could fill the cache.
   *
   * @param created second of creation, within the window around `now`
   * @param now seconds since 1970
   */
  admit(client: string, created: number, nonce: string, now: number): ReplayVerdict {
    this.#forget(now);
    if (!(created >= this.#horizon)) return 'expired';
    let record = this.#clients.get(client);
    const known = record?.nonces.get(created);
    if (known?.has(nonce)) return 'replayed';
    if (this.#size >= this.#capacity || (record?.size ?? 0) >= this.#clientCapacity) return 'full';

    if (record === undefined) this.#clients.set(client, (record = { size: 0, nonces: new Map() }));
    // A copy: the text that was parsed is a slice of the whole header, which it would keep in memory.
    const copy = Buffer.from(nonce, 'latin1').toString('latin1');
    if (known === undefined) record.nonces.set(created, new Set([copy]));
    else known.add(copy);
    record.size += 1;
    this.#size += 1;
    return 'admitted';
  }

  #forget(now: number): void {
    const horizon = Math.floor(now) - SIGNATURE_WINDOW_SECONDS;
    if (!(horizon > this.#horizon)) return;
    this.#horizon = horizon;
    for (const [client, record] of this.#clients) {
      for (const [created, nonces] of record.nonces) {
        if (created >= horizon) continue;
        record.nonces.delete(created);
        record.size -= nonces.size;
        this.#size -= nonces.size;
      }
      if (record.size === 0) this.#clients.delete(client);
    }
  }
}
