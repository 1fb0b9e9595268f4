import { createHash } from 'node:crypto';

/** How long a result is kept for a repeated try, in milliseconds: longer than any SDK waits between its tries. */
const KEPT_MS = 60_000;
const MAX_KEPT = 2_048;

/** What names one call of an SDK, whose tries have one id and one body. */
export interface Invocation {
  readonly accessKeyId: string;
  /** Value of amz-sdk-invocation-id. */
  readonly id: string;
  readonly operation: string;
  readonly body: Uint8Array;
}

interface Kept {
  readonly result: Promise<unknown>;
  /** Time of the end by the clock, or undefined while it is under way. */
  endedAt: number | undefined;
}

/**
 * Results by calls: SDKs try each request three to five times under one amz-sdk-invocation-id, and all tries together are
 * one request to the node, those at the same time too. In memory, for a minute.
 */
export class Repeats {
  readonly #kept = new Map<string, Kept>();
  readonly #clock: () => number;

  constructor(clock: () => number = Date.now) {
    this.#clock = clock;
  }

  /**
   * Returns the result of the call, which is made once.
   *
   * @param keep says of a result or an error that has come whether a later try gets it too; else a later one is made anew
   */
  async once<T>(
    invocation: Invocation,
    act: () => Promise<T>,
    keep: (outcome: { readonly error?: unknown }) => boolean,
  ): Promise<T> {
    const name = nameOf(invocation);
    const known = this.#kept.get(name);
    if (known !== undefined && !this.#isOver(known)) return (await known.result) as T;
    const result = act();
    const kept: Kept = { result, endedAt: undefined };
    this.#makeRoom();
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    const end = (outcome: { readonly error?: unknown }) => {
      kept.endedAt = this.#clock();
      if (!keep(outcome) && this.#kept.get(name) === kept) this.#kept.delete(name);
    };
    result.then(
      () => end({}),
      (error: unknown) => end({ error }),
    );
    return await result;
  }

  #isOver({ endedAt }: Kept): boolean {
    return endedAt !== undefined && this.#clock() - endedAt > KEPT_MS;
  }

  /** Forgets what is over, and the oldest where there are too many. */
  #makeRoom(): void {
    for (const [name, kept] of this.#kept) {
      if (!this.#isOver(kept) && this.#kept.size < MAX_KEPT) return;
      this.#kept.delete(name);
    }
  }
}

function nameOf({ accessKeyId, id, operation, body }: Invocation): string {
  const head = JSON.stringify([accessKeyId, id, operation]);
  return createHash('sha256').update(head).update('\0').update(body).digest('base64');
}
