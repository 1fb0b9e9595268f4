import * as z from 'zod';
import type { StateSource } from '../enclave/log/index.ts';
import type { SealedStore } from '../enclave/store/index.ts';
import { ColdError, type ColdRequest } from '../shared/cold/index.ts';
import { InternalError } from '../shared/errors.ts';
import { parseJson } from '../shared/json/index.ts';

const PLACE = { table: 'cold', id: 'memory' } as const;
/**
 * The most requests that are remembered, each until it expires, at most 30 days: of the clients of one configuration
 * together, of which each has the same part, so that none takes the place of another; and of those of former ones, too.
 */
const MAX_REMEMBERED = 2048;
const MAX_REMEMBERED_EVER = 3072;
const MAX_BYTES = 256 * 1024;
/** Milliseconds by which a clock may be behind: it was set, not turned back. */
const TOLERANCE_MS = 5 * 60_000;

const memorySchema = z.strictObject({
  /** The latest time that the node has seen, milliseconds since 1970. */
  time: z.int().min(0),
  /** Ends of requests that were decided, by client and id. */
  decided: z.record(z.string(), z.record(z.string(), z.int().min(0))),
});

/**
 * What a cold node remembers of requests: no HTTP session ties them to one start. It is sealed with the entry of the
 * decision, or before it.
 */
export class ColdMemory implements StateSource {
  readonly #decided: Map<string, { readonly client: string; readonly end: number }>;
  #time: number;
  #isChanged = false;

  private constructor({ time, decided }: z.infer<typeof memorySchema>) {
    this.#time = time;
    this.#decided = new Map(
      Object.entries(decided).flatMap(([client, ends]) =>
        Object.entries(ends).map(([id, end]) => [id, { client, end }] as const),
      ),
    );
  }

  /** Reads the memory of a store; an empty one where it has none. @throws StoreError */
  static async restore(store: Pick<SealedStore, 'read'>): Promise<ColdMemory> {
    const sealed = await store.read(PLACE);
    if (sealed === null) return new ColdMemory({ time: 0, decided: {} });
    const parsed = memorySchema.safeParse(parseJson(sealed, { maxBytes: MAX_BYTES, maxDepth: 4 }));
    if (!parsed.success) throw new InternalError('expected the memory of a cold node', parsed.error);
    return new ColdMemory(parsed.data);
  }

  /**
   * Takes the time of the machine, which never goes back by more than five minutes.
   *
   * @throws ColdError COLD_CLOCK_BEHIND
   */
  takeTime(now: number): void {
    if (now < this.#time - TOLERANCE_MS) {
      throw new ColdError('COLD_CLOCK_BEHIND', "the machine's clock is behind what the node has sealed", {
        sealed: new Date(this.#time).toISOString(),
        actual: new Date(now).toISOString(),
      });
    }
    this.#time = Math.max(this.#time, now);
    this.#isChanged = true;
  }

  /** Gives the later of a time and of what the node has seen before: its time never goes back, within the tolerance neither. */
  advance(now: number): number {
    if (now > this.#time) {
      this.#time = now;
      this.#isChanged = true;
    }
    return this.#time;
  }

  /**
   * Asserts that a request was not decided before, and remembers it.
   *
   * @param clients how many clients the configuration names
   * @throws ColdError COLD_REQUEST_REPEATED, COLD_REQUEST_EXPIRED, COLD_REQUEST_EARLY, COLD_REQUESTS_FULL
   */
  takeRequest(
    { id, client, created, notAfter }: Pick<ColdRequest, 'id' | 'client' | 'created' | 'notAfter'>,
    now: number,
    clients: number,
  ): void {
    if (this.#decided.has(id))
      throw new ColdError('COLD_REQUEST_REPEATED', 'the node has decided this request before', { id });
    if (!(now <= notAfter)) {
      throw new ColdError('COLD_REQUEST_EXPIRED', 'the request has expired', { notAfter: toIso(notAfter) });
    }
    if (created > now + TOLERANCE_MS) {
      throw new ColdError(
        'COLD_REQUEST_EARLY',
        "the request was made after the time of the machine's clock",
        {
          created: toIso(created),
          actual: toIso(now),
        },
      );
    }
    for (const [decided, { end }] of this.#decided) if (end < now) this.#decided.delete(decided);
    const maximum = Math.max(1, Math.floor(MAX_REMEMBERED / clients));
    const open = [...this.#decided.values()].filter((one) => one.client === client);
    if (open.length >= maximum || this.#decided.size >= MAX_REMEMBERED_EVER)
      throw new ColdError(
        'COLD_REQUESTS_FULL',
        'the client has as many requests open as the node remembers',
        {
          client,
          maximum,
          until: toIso(Math.min(...[...this.#decided.values()].map(({ end }) => end))),
        },
      );
    this.#decided.set(id, { client, end: notAfter });
    this.#isChanged = true;
  }

  collectChanges() {
    if (!this.#isChanged) return [];
    this.#isChanged = false;
    const decided: Record<string, Record<string, number>> = {};
    for (const [id, { client, end }] of this.#decided) (decided[client] ??= {})[id] = end;
    const memory = { time: this.#time, decided };
    return [{ ...PLACE, plaintext: new Uint8Array(Buffer.from(JSON.stringify(memory))) }];
  }
}

const toIso = (time: number) => new Date(time).toISOString();
