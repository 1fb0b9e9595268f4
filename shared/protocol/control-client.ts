import { setTimeout as sleep } from 'node:timers/promises';
import type { CborEncodable } from '../cbor/index.ts';
import { FrameError, FrameStream } from '../frames/index.ts';
import { TransportError } from '../transport/errors.ts';
import { PARENT_CID, PARENT_PORT, type Transport } from '../transport/transport.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  controlAnswerSchema,
  type ControlAnswer,
  type ControlRequest,
  type Credentials,
  type NodePhase,
  type RecordKey,
  type RecordWrite,
} from './control.ts';
import { ControlError } from './errors.ts';

const DEFAULT_TIMEOUT_MS = 15_000;
const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1_000;

export interface ControlClientOptions {
  /** Milliseconds for each call, reconnections included; 15,000 when left out. */
  readonly timeoutMs?: number;
}

/** A sealed record and how often it was written; see `recordKeySchema`. */
export interface StoredRecord {
  readonly revision: number;
  readonly bytes: Uint8Array;
}

export interface RecordListing extends RecordKey {
  readonly revision: number;
}

/**
 * What an enclave asks of its parent. Calls queue: one request and its answer after the other. Nothing that comes back
 * is to be believed without a measurement, a signature or a seal. All methods throw {@link ControlError}.
 */
export interface ControlClient {
  manifest(): Promise<Uint8Array>;
  configuration(): Promise<Uint8Array>;
  /** `null` when the parent says that there is none. */
  secret(name: string): Promise<Uint8Array | null>;
  credentials(): Promise<Credentials>;
  readRecord(key: RecordKey): Promise<StoredRecord | null>;
  listRecords(): Promise<readonly RecordListing[]>;
  /**
   * Writes all of them or none.
   * @throws ControlError CONTROL_STORE_CONFLICT when a record's revision was another than expected,
   * CONTROL_COMMIT_UNRESOLVED when nobody can tell whether it happened
   */
  commit(writes: readonly RecordWrite[]): Promise<void>;
  reportStatus(phase: NodePhase, code: string | null): Promise<void>;
  /** Hangs up; calls that wait or come later throw CONTROL_CLOSED. */
  close(): void;
}

type Answer<Type extends ControlRequest['type']> = Extract<ControlAnswer, { type: Type }>;

/**
 * Connects when first asked and again whenever the connection was lost, so that a parent that restarts does not end a
 * node that serves. What only reads is simply asked again until the call's deadline. A commit whose answer was lost is
 * resolved by reading its records back: they hold the written bytes at the next revision, or those before it, and
 * then it is sent again. A proper connection that brings an improper answer is not tried a second time.
 */
export function createControlClient(transport: Transport, options: ControlClientOptions = {}): ControlClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const link = new ControlLink(transport);
  let last: Promise<unknown> = Promise.resolve();

  function enqueue<T>(act: (end: number) => Promise<T>): Promise<T> {
    const call = last.then(() => act(Date.now() + timeoutMs));
    last = call.catch(() => {});
    return call;
  }
  function ask<Type extends ControlRequest['type']>(
    request: ControlRequest & { readonly type: Type },
  ): Promise<Answer<Type>> {
    return enqueue((end) => link.ask(request, end));
  }

  return {
    manifest: async () => (await ask({ type: 'manifest' })).bytes.slice(),
    configuration: async () => (await ask({ type: 'configuration' })).bytes.slice(),
    secret: async (name) => (await ask({ type: 'secret', name })).bytes?.slice() ?? null,
    credentials: async () => (await ask({ type: 'credentials' })).credentials,
    readRecord: async ({ table, id }) => copyRecord((await ask({ type: 'store-read', table, id })).record),
    listRecords: async () => (await ask({ type: 'store-list' })).records,
    commit: (writes) => enqueue((end) => commit(link, writes, end)),
    reportStatus: async (phase, code) => {
      await ask({ type: 'status', phase, code });
    },
    close: () => link.close(),
  };
}

function copyRecord(record: StoredRecord | null): StoredRecord | null {
  return record === null ? null : { revision: record.revision, bytes: record.bytes.slice() };
}

async function commit(link: ControlLink, writes: readonly RecordWrite[], end: number): Promise<void> {
  const request = { type: 'store-commit', writes: [...writes] } as const;
  let isUncertain = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await link.askOnce(request, end);
      return;
    } catch (error) {
      const hasLostAnswer = error instanceof LostAnswer;
      if (hasLostAnswer) isUncertain ||= error.wasSent;
      // A conflict after a lost answer may be with our own first attempt.
      const isConflict = error instanceof ControlError && error.code === 'CONTROL_STORE_CONFLICT';
      if (!hasLostAnswer && !(isConflict && isUncertain)) throw error;
      if (!isUncertain) {
        await link.pause(attempt, end, error);
        continue;
      }
      const outcome = await readBack(link, writes, end, error);
      if (outcome === 'written') return;
      if (outcome === 'changed' || isConflict) {
        throw new ControlError('CONTROL_STORE_CONFLICT', 'the store holds something else', {}, error);
      }
      await link.pause(attempt, end, error);
    }
  }
}

async function readBack(
  link: ControlLink,
  writes: readonly RecordWrite[],
  end: number,
  cause: unknown,
): Promise<'written' | 'unwritten' | 'changed'> {
  let written = 0;
  let unwritten = 0;
  for (const { table, id, expectedRevision, bytes } of writes) {
    let record: StoredRecord | null;
    try {
      ({ record } = await link.ask({ type: 'store-read', table, id }, end));
    } catch (error) {
      throw new ControlError(
        'CONTROL_COMMIT_UNRESOLVED',
        'whether a commit happened cannot be read back',
        {},
        new AggregateError([cause, error]),
      );
    }
    if (isWritten(record, expectedRevision, bytes)) written += 1;
    else if ((record?.revision ?? 0) === expectedRevision) unwritten += 1;
  }
  if (written === writes.length) return 'written';
  return unwritten === writes.length ? 'unwritten' : 'changed';
}

function isWritten(record: StoredRecord | null, expectedRevision: number, bytes: Uint8Array | null): boolean {
  if (bytes === null) return record === null;
  return record?.revision === expectedRevision + 1 && Buffer.compare(record.bytes, bytes) === 0;
}

/** The connection broke before the answer; `wasSent` unless the request certainly never left. */
class LostAnswer extends Error {
  readonly wasSent: boolean;
  constructor(wasSent: boolean, cause: unknown) {
    super('the connection was lost', { cause });
    this.wasSent = wasSent;
  }
}

/** The one connection, and what it means when it breaks. */
class ControlLink {
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  #frames: FrameStream | undefined;
  #hasOwnedStore = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  close(): void {
    this.#closing.abort();
    this.#hangUp();
  }

  /** Asks until an answer comes or the deadline passes. For requests that may be repeated without harm. */
  async ask<Type extends ControlRequest['type']>(
    request: ControlRequest & { readonly type: Type },
    end: number,
  ): Promise<Answer<Type>> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.askOnce(request, end);
      } catch (error) {
        if (!(error instanceof LostAnswer)) throw error;
        await this.pause(attempt, end, error);
      }
    }
  }

  /** @throws LostAnswer where asking again is the caller's decision; ControlError where it is not */
  async askOnce<Type extends ControlRequest['type']>(
    request: ControlRequest & { readonly type: Type },
    end: number,
  ): Promise<Answer<Type>> {
    const isStoreRequest = request.type.startsWith('store-');
    const answer = await this.#exchange(request, end);
    if (answer.type === 'error') {
      const error = new ControlError(`CONTROL_${answer.code}`, 'the parent did not do it', {
        request: request.type,
      });
      // The parent may still hold our own lost connection for the owner of the store.
      if (answer.code === 'STORE_BUSY' && this.#hasOwnedStore) throw new LostAnswer(false, error);
      throw error;
    }
    if (!isAnswerTo(answer, request.type)) {
      this.#hangUp();
      throw new ControlError('CONTROL_ANSWER_INVALID', 'an answer to something else', {
        request: request.type,
        answer: answer.type,
      });
    }
    if (isStoreRequest) this.#hasOwnedStore = true;
    return answer;
  }

  /** Waits before another attempt. @throws ControlError where its time would be past the deadline */
  async pause(attempt: number, end: number, error: unknown): Promise<void> {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS);
    if (Date.now() + wait < end) {
      await sleep(wait, undefined, { signal: this.#closing.signal }).catch(() => {});
      this.#assertOpen();
      return;
    }
    const cause = error instanceof LostAnswer ? error.cause : error;
    if (error instanceof LostAnswer && error.wasSent && cause instanceof FrameError) {
      if (cause.code === 'FRAME_TRUNCATED') throw invalidAnswer(cause);
    }
    if (cause instanceof ControlError) throw cause;
    throw new ControlError('CONTROL_DISCONNECTED', 'the parent cannot be reached', {}, cause);
  }

  async #exchange(request: ControlRequest, end: number): Promise<ControlAnswer> {
    this.#assertOpen();
    const frames = await this.#connect(end);
    if (frames.hasUnread) {
      this.#hangUp();
      throw new ControlError('CONTROL_ANSWER_INVALID', 'an answer that nobody asked for');
    }
    const limits = () => ({
      timeoutMs: Math.max(1, end - Date.now()),
      signal: this.#closing.signal,
    });
    try {
      await frames.write(request satisfies CborEncodable, limits());
      return await frames.read(controlAnswerSchema, limits());
    } catch (error) {
      this.#hangUp();
      if (!(error instanceof FrameError)) throw error;
      throw this.#fromFrameError(error, request.type);
    }
  }

  #fromFrameError(error: FrameError, request: string): Error {
    switch (error.code) {
      case 'FRAME_END':
      case 'FRAME_STREAM_FAILED':
      case 'FRAME_TRUNCATED':
        return new LostAnswer(true, error);
      case 'FRAME_TIMEOUT':
        return request === 'store-commit'
          ? new ControlError('CONTROL_COMMIT_UNRESOLVED', 'no answer to a commit in time', {}, error)
          : new ControlError('CONTROL_TIMEOUT', 'no answer in time', { request }, error);
      case 'FRAME_ABORTED':
        return closed();
      default:
        return invalidAnswer(error);
    }
  }

  async #connect(end: number): Promise<FrameStream> {
    if (this.#frames !== undefined) return this.#frames;
    try {
      const stream = await this.#transport.connect(
        { cid: PARENT_CID, port: PARENT_PORT.control },
        { timeoutMs: Math.max(1, end - Date.now()), signal: this.#closing.signal },
      );
      this.#frames = new FrameStream(stream, { maxBytes: MAX_CONTROL_FRAME_BYTES });
      return this.#frames;
    } catch (error) {
      this.#assertOpen();
      if (error instanceof TransportError) throw new LostAnswer(false, error);
      throw error;
    }
  }

  #hangUp(): void {
    this.#frames?.destroy();
    this.#frames = undefined;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw closed();
  }
}

function isAnswerTo<Type extends ControlRequest['type']>(
  answer: ControlAnswer,
  type: Type,
): answer is Answer<Type> {
  return answer.type === type;
}

function invalidAnswer(cause: FrameError): ControlError {
  return new ControlError(
    'CONTROL_ANSWER_INVALID',
    'the parent gave no proper answer',
    { frame: cause.code },
    cause,
  );
}

function closed(): ControlError {
  return new ControlError('CONTROL_CLOSED', 'the control connection is closed');
}
