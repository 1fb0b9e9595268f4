import { setTimeout as sleep } from 'node:timers/promises';
import type { CborEncodable } from '../cbor/index.ts';
import { FrameError, FrameStream, type FrameErrorCode } from '../frames/index.ts';
import { TransportError } from '../transport/errors.ts';
import { PARENT_CID, PARENT_PORT, type Transport } from '../transport/transport.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  controlAnswerSchema,
  type ControlAnswer,
  type ControlRequest,
} from './control.ts';
import { ControlError } from './errors.ts';

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1_000;
const LOST_CODES: ReadonlySet<FrameErrorCode> = new Set([
  'FRAME_END',
  'FRAME_STREAM_FAILED',
  'FRAME_TRUNCATED',
]);

export type AnswerTo<Request extends ControlRequest> = Extract<ControlAnswer, { type: Request['type'] }>;

/** The connection broke before the answer; `wasSent` unless the request certainly never left. */
export class LostAnswer extends Error {
  readonly wasSent: boolean;
  constructor(wasSent: boolean, cause: unknown) {
    super('the connection was lost', { cause });
    this.wasSent = wasSent;
  }
}

/** The one connection, and what it means when it breaks. */
export class ControlLink {
  readonly #transport: Transport;
  readonly #closing = new AbortController();
  #frames: FrameStream | undefined;
  #hasAskedStore = false;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  close(): void {
    this.#closing.abort();
    this.#hangUp();
  }

  /** Asks until an answer comes or the deadline passes. For requests that may be repeated without harm. */
  async ask<Request extends ControlRequest>(request: Request, end: number): Promise<AnswerTo<Request>> {
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
  async askOnce<Request extends ControlRequest>(request: Request, end: number): Promise<AnswerTo<Request>> {
    const hasAskedStore = this.#hasAskedStore;
    if (request.type.startsWith('store-')) this.#hasAskedStore = true;
    const answer = await this.#exchange(request, end);
    if (answer.type === 'error') {
      const error = new ControlError(`CONTROL_${answer.code}`, 'the parent did not do it', {
        request: request.type,
      });
      // The parent may still hold our own lost connection for the owner of the store.
      if (answer.code === 'STORE_BUSY' && hasAskedStore) throw new LostAnswer(false, error);
      throw error;
    }
    if (!isAnswerTo(answer, request)) {
      this.#hangUp();
      throw new ControlError('CONTROL_ANSWER_INVALID', 'an answer to something else', {
        request: request.type,
        answer: answer.type,
      });
    }
    return answer;
  }

  /** Waits before another attempt. @throws ControlError where its time would be past the deadline */
  async pause(attempt: number, end: number, error: unknown): Promise<void> {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS);
    if (performance.now() + wait < end) {
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
      timeoutMs: Math.max(1, end - performance.now()),
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
    if (LOST_CODES.has(error.code)) return new LostAnswer(true, error);
    if (error.code === 'FRAME_ABORTED') return closed();
    if (error.code !== 'FRAME_TIMEOUT') return invalidAnswer(error);
    return request === 'store-commit'
      ? new ControlError('CONTROL_COMMIT_UNRESOLVED', 'no answer to a commit in time', {}, error)
      : new ControlError('CONTROL_TIMEOUT', 'no answer in time', { request }, error);
  }

  async #connect(end: number): Promise<FrameStream> {
    if (this.#frames !== undefined) return this.#frames;
    try {
      const stream = await this.#transport.connect(
        { cid: PARENT_CID, port: PARENT_PORT.control },
        { timeoutMs: Math.max(1, end - performance.now()), signal: this.#closing.signal },
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

function isAnswerTo<Request extends ControlRequest>(
  answer: ControlAnswer,
  request: Request,
): answer is AnswerTo<Request> {
  return answer.type === request.type;
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
