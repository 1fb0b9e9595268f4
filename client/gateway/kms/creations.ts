import { createHash, randomBytes } from 'node:crypto';
import type { CreatePoolKeyRequest, PoolKey } from '../../../shared/api/pool-keys.ts';

/** How long a key whose response nobody may have read waits for the next request for the same, in milliseconds. */
const LEFT_BEHIND_MS = 10 * 60_000;
const MAX_KEPT = 4_096;
/** Bytes of the two parts of a token: whose it is, and of which creation. */
const TOKEN_PART_BYTES = 16;

/** A creation as its client asks for it. */
export interface CreationRequest {
  readonly accessKeyId: string;
  readonly pool: string;
  readonly key: Omit<CreatePoolKeyRequest, 'token'>;
  /** Value of amz-sdk-invocation-id. */
  readonly invocation: string | undefined;
  /** Whether the client has closed its side of the connection. */
  readonly isClientGone: () => boolean;
}

/** A key whose response has been, or is being, written. */
export interface Creation {
  readonly key: PoolKey;
  /**
   * Tells whether the client has got the response, as far as TCP shows, and whether it was one to a further try: a client
   * that tries again has not read the response before, whatever TCP showed.
   */
  readonly onDelivery: (isDelivered: boolean, isRetry: boolean) => void;
}

interface Attempt {
  readonly token: string;
  key: Promise<PoolKey>;
  state: 'under-way' | 'failed' | 'lost' | 'delivered';
  /** Time of the last response by the clock. */
  answeredAt: number;
  isClientGone: () => boolean;
}

export interface CreationsOptions {
  /** Makes a key; the same token gives the same key. */
  readonly create: (request: CreationRequest, token: string) => Promise<PoolKey>;
  /** Lists the keys of a pool as they are now, without naming any. */
  readonly list: (request: CreationRequest) => Promise<readonly PoolKey[]>;
  readonly clock: () => number;
}

/**
 * CreateKey once. KMS has no idempotency token, and a client whose connection ends without a response sends the same
 * request again, under another invocation id. A creation whose response could not be delivered, or was one to a further
 * try, is therefore for ten minutes the answer to the next one that asks for the same with the same credential, unless the
 * key was named; one whose first response was delivered never is. After a restart of the door, a recent key of the same
 * credential that was made before and that nobody has named since takes the place of the memory.
 */
export class Creations {
  readonly #options: CreationsOptions;
  readonly #startedAt: number;
  /** Attempts by what was asked for, the oldest first. */
  readonly #attempts = new Map<string, Attempt[]>();
  /** Ids of keys that this process has answered with. */
  readonly #answered = new Set<string>();

  constructor(options: CreationsOptions) {
    this.#options = options;
    this.#startedAt = options.clock();
  }

  /** Makes a key, or finds the one that an undelivered response was about. */
  async create(request: CreationRequest): Promise<Creation> {
    const name = nameOf(request);
    const attempt = await this.#takeUp(name, request);
    attempt.isClientGone = request.isClientGone;
    try {
      const key = await attempt.key;
      this.#answered.add(key.id);
      return {
        key,
        onDelivery: (isDelivered, isRetry) => {
          // Whoever took the attempt up afterwards decides.
          if (attempt.isClientGone !== request.isClientGone) return;
          attempt.state = isDelivered && !isRetry ? 'delivered' : 'lost';
          attempt.answeredAt = this.#options.clock();
        },
      };
    } catch (error) {
      attempt.state = 'failed';
      throw error;
    }
  }

  /** Returns the attempt that a request goes on with: one whose response was lost, or a new one. */
  async #takeUp(name: string, request: CreationRequest): Promise<Attempt> {
    const attempts = this.#attempts.get(name) ?? [];
    const earliest = this.#options.clock() - LEFT_BEHIND_MS;
    const open = attempts.find(
      ({ state, answeredAt, isClientGone }) =>
        (state === 'lost' && answeredAt >= earliest) || (state === 'under-way' && isClientGone()),
    );
    if (open !== undefined) {
      open.state = 'under-way';
      open.isClientGone = request.isClientGone;
      const key = await open.key.catch(() => undefined);
      if (key !== undefined && (await this.#isUnnamed(request, key))) return open;
      if (key !== undefined) open.state = 'delivered';
    }
    // The node may have made the key of a creation that failed: its token finds it.
    const failed = attempts.find(({ state }) => state === 'failed');
    const token = failed?.token ?? tokenOf(request);
    const attempt: Attempt = {
      token,
      key: this.#findLeftBehind(request, attempts.length > 0).then(
        (left) => left ?? this.#options.create(request, token),
      ),
      state: 'under-way',
      answeredAt: this.#options.clock(),
      isClientGone: request.isClientGone,
    };
    attempt.key.catch(() => undefined);
    this.#keep(name, [...attempts.filter((each) => each !== failed && each.state !== 'delivered'), attempt]);
    return attempt;
  }

  async #isUnnamed(request: CreationRequest, { id }: PoolKey): Promise<boolean> {
    const keys = await this.#options.list(request);
    return keys.some((key) => key.id === id && !key.named);
  }

  /** Finds a key that a creation before the door's start has left, and that nobody has named. */
  async #findLeftBehind(request: CreationRequest, isKnown: boolean): Promise<PoolKey | undefined> {
    const oldest = this.#startedAt - LEFT_BEHIND_MS;
    // Memory covers what came after the start; some while later, nobody asks for what was before it.
    if (isKnown || this.#options.clock() - this.#startedAt > LEFT_BEHIND_MS) return undefined;
    const keys = await this.#options.list(request);
    const left = keys.find(
      (key) =>
        !key.named &&
        key.state === 'enabled' &&
        key.created >= oldest &&
        key.created < this.#startedAt &&
        !this.#answered.has(key.id) &&
        key.token?.startsWith(ownerOf(request)) === true &&
        isAskedFor(key, request),
    );
    if (left !== undefined) this.#answered.add(left.id);
    return left;
  }

  #keep(name: string, attempts: Attempt[]): void {
    this.#attempts.delete(name);
    this.#attempts.set(name, attempts);
    for (const [oldest] of this.#attempts) {
      if (this.#attempts.size <= MAX_KEPT) return;
      this.#attempts.delete(oldest);
    }
  }
}

/** Whether a key is what a request asks for. */
function isAskedFor(key: PoolKey, { pool, key: wanted }: CreationRequest): boolean {
  const { type, usage, description, tags } = wanted;
  return (
    key.pool === pool &&
    key.type === type &&
    key.usage === usage &&
    key.description === description &&
    describeTags(key.tags) === describeTags(tags)
  );
}

function describeTags(tags: CreationRequest['key']['tags']): string {
  return JSON.stringify(tags.map(({ key, value }) => JSON.stringify([key, value])).toSorted());
}

function nameOf({ accessKeyId, pool, key }: CreationRequest): string {
  const { type, usage, description, tags } = key;
  const text = JSON.stringify([accessKeyId, pool, type, usage, description, describeTags(tags)]);
  return createHash('sha256').update(text).digest('base64');
}

/** First part of the tokens of a credential: keys that others have had made are not handed to it. */
function ownerOf({ accessKeyId }: CreationRequest): string {
  return digestPart(['holdfast-create-key-owner/1', accessKeyId]);
}

/** Token of a creation: that of its invocation, so that its tries are one even where the door restarts between them. */
function tokenOf(request: CreationRequest): string {
  const { accessKeyId, invocation } = request;
  const own =
    invocation === undefined
      ? randomBytes(TOKEN_PART_BYTES).toString('hex')
      : digestPart(['holdfast-create-key/1', accessKeyId, invocation, nameOf(request)]);
  return `${ownerOf(request)}${own}`;
}

function digestPart(parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify(parts))
    .digest('hex')
    .slice(0, 2 * TOKEN_PART_BYTES);
}
