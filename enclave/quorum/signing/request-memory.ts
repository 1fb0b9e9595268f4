import { QuorumSigningError } from './errors.ts';
import { MAX_PACKAGES, MAX_REMEMBERED } from './limits.ts';
import type { SignAnswer } from './messages.ts';

/** Milliseconds between two sweeps of what has expired. */
const SWEEP_MS = 10_000;

/** An answer, and the rule by which the request was permitted. */
interface Answered {
  readonly answer: SignAnswer;
  readonly rule: string | undefined;
}

/** One forwarded request, which is charged once. */
export class RememberedRequest {
  readonly expires: number;
  readonly #answers = new Map<string, Promise<SignAnswer>>();
  /** The rule that has permitted the request, after all that was asked before. */
  #rule: Promise<string | undefined> = Promise.resolve(undefined);

  constructor(expires: number) {
    this.expires = expires;
  }

  /** Finds the answer to a package, which may still be on its way. */
  find(name: string): Promise<SignAnswer> | undefined {
    return this.#answers.get(name);
  }

  /** Asserts that the request may be signed with one more package. @throws QuorumSigningError QUORUM_OVERLOADED */
  assertRoom(): void {
    if (this.#answers.size >= MAX_PACKAGES)
      throw new QuorumSigningError('QUORUM_OVERLOADED', `the request was to be signed ${MAX_PACKAGES} times`);
  }

  /**
   * Answers another package, after those before it. The first one decides the request; where it was permitted, later ones
   * are handed its rule. A request that was denied is decided again: people may have approved it meanwhile.
   */
  add(name: string, act: (rule: string | undefined) => Promise<Answered>): Promise<SignAnswer> {
    this.assertRoom();
    const before = this.#rule;
    const answered = before.then(act);
    this.#rule = Promise.all([before, answered]).then(([known, { rule }]) => known ?? rule);
    const answer = answered.then((one) => one.answer);
    this.#answers.set(name, answer);
    return answer;
  }
}

/**
 * Forwarded requests that this node has decided, until their signatures have expired: a coordinator can have none decided
 * twice. Bounded; a full memory takes no new request.
 */
export class RequestMemory {
  readonly #now: () => number;
  readonly #requests = new Map<string, RememberedRequest>();
  #swept = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Finds a request, or remembers it from now on. @throws QuorumSigningError QUORUM_OVERLOADED */
  open({ id, expires }: { readonly id: string; readonly expires: number }): RememberedRequest {
    this.#sweep();
    const known = this.#requests.get(id);
    if (known !== undefined) return known;
    if (this.#requests.size >= MAX_REMEMBERED)
      throw new QuorumSigningError('QUORUM_OVERLOADED', `${MAX_REMEMBERED} requests are remembered`);
    const request = new RememberedRequest(expires);
    this.#requests.set(id, request);
    return request;
  }

  #sweep(): void {
    const now = this.#now();
    if (now - this.#swept < SWEEP_MS) return;
    this.#swept = now;
    for (const [id, { expires }] of this.#requests) if (expires < now) this.#requests.delete(id);
  }
}
