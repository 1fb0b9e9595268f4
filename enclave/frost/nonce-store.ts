import { randomBytes } from 'node:crypto';
import { clearNonces, type Nonces } from '../../shared/frost/index.ts';
import { FrostError } from './errors.ts';

/** The client and key that nonces were made for: no other may use them. */
export interface NonceOwner {
  readonly client: string;
  readonly key: string;
}

interface Entry extends NonceOwner {
  readonly nonces: Nonces;
  readonly expiresAt: number;
}

export interface NonceLimits {
  readonly lifetimeMs: number;
  /** Pairs of nonces that may await their second round, over all clients. */
  readonly outstanding: number;
  readonly outstandingPerClient: number;
}

const DEFAULT_LIMITS: NonceLimits = { lifetimeMs: 300_000, outstanding: 4096, outstandingPerClient: 512 };
/** Used handles that are remembered, so that NONCE_USED can be told from NONCE_UNKNOWN. */
const REMEMBERED_HANDLES = 4096;

/**
 * Signing nonces between the two rounds. A nonce that signs twice gives the share away, so it exists in this memory
 * alone: no crash, restart or rollback of what the parent stores can bring one back. `take` removes it before
 * anything is computed with it.
 */
export class NonceStore {
  readonly #limits: NonceLimits;
  /** Entries by handle, in the order of their expiry. */
  readonly #entries = new Map<string, Entry>();
  readonly #perClient = new Map<string, number>();
  readonly #used = new Set<string>();

  constructor(limits: Partial<NonceLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /**
   * Asserts that there is room for one more pair of nonces of that client.
   *
   * @param now milliseconds of a monotonic clock
   * @throws FrostError NONCE_LIMIT
   */
  assertRoom(client: string, now: number): void {
    for (const [handle, { expiresAt }] of this.#entries) {
      if (expiresAt > now) break;
      this.#drop(handle);
    }
    if (
      this.#entries.size >= this.#limits.outstanding ||
      (this.#perClient.get(client) ?? 0) >= this.#limits.outstandingPerClient
    ) {
      throw new FrostError('NONCE_LIMIT', 'too many nonces await their second round');
    }
  }

  /** Stores nonces and returns the unguessable handle that names them. @throws FrostError NONCE_LIMIT */
  put({ client, key }: NonceOwner, nonces: Nonces, now: number): string {
    this.assertRoom(client, now);
    const handle = randomBytes(16).toString('hex');
    this.#entries.set(handle, { client, key, nonces, expiresAt: now + this.#limits.lifetimeMs });
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1);
    return handle;
  }

  /** Removes nonces and hands them out, once. @throws FrostError NONCE_USED, NONCE_UNKNOWN */
  take(handle: string, owner: NonceOwner, now: number): Nonces {
    if (this.#used.has(handle)) throw new FrostError('NONCE_USED', 'these nonces have signed already');
    const entry = this.#entries.get(handle);
    if (entry === undefined || entry.client !== owner.client || entry.key !== owner.key) {
      throw new FrostError('NONCE_UNKNOWN', 'no nonces of this client and key have this handle');
    }
    // Written as a negation, so that nonces count as expired where `now` is NaN.
    if (!(now < entry.expiresAt)) {
      this.#drop(handle);
      throw new FrostError('NONCE_UNKNOWN', 'these nonces have expired');
    }
    const { hiding, binding, commitments } = entry.nonces;
    const nonces = { hiding: hiding.slice(), binding: binding.slice(), commitments };
    this.#drop(handle);
    this.#used.add(handle);
    for (const oldest of this.#used) {
      if (this.#used.size <= REMEMBERED_HANDLES) break;
      this.#used.delete(oldest);
    }
    return nonces;
  }

  /** Clears all nonces. */
  clear(): void {
    for (const handle of this.#entries.keys()) this.#drop(handle);
  }

  #drop(handle: string): void {
    const entry = this.#entries.get(handle);
    if (entry === undefined) return;
    clearNonces(entry.nonces);
    this.#entries.delete(handle);
    const left = (this.#perClient.get(entry.client) ?? 1) - 1;
    if (left === 0) this.#perClient.delete(entry.client);
    else this.#perClient.set(entry.client, left);
  }
}
