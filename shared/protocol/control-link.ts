import { setTimeout as sleep } from 'node:timers/promises';
import type { CborEncodable } from '../cbor/index.ts';
import { FrameError, FrameStream, type FrameErrorCode } from '../frames/index.ts';
import { TransportError } from '../transport/errors.ts';
import { PARENT_CID, PARENT_PORT } from '../transport/ports.ts';
import type { Transport } from '../transport/transport.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  controlResponseSchema,
  type ControlResponse,
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

export type ResponseTo<Request extends ControlRequest> = Extract<ControlResponse, { type: Request['type'] }>;

/** The connection broke before the answer; `wasSent` unless the request certainly never left. */
export class LostResponse extends Error {
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
  async ask<Request extends ControlRequest>(request: Request, end: number): Promise<ResponseTo<Request>> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.askOnce(request, end);
      } catch (error) {
        if (!(error instanceof LostResponse)) throw error;
        await this.pause(attempt, end, error);
      }
    }
  }

  /** @throws LostResponse where asking again is the caller's decision; ControlError where it is not */
  async askOnce<Request extends ControlRequest>(request: Request, end: number): Promise<ResponseTo<Request>> {
    const hasAskedStore = this.#hasAskedStore;
    if (request.type.startsWith('store-')) this.#hasAskedStore = true;
    const answer = await this.#exchange(request, end);
    if (answer.type === 'error') {
      const error = new ControlError(`CONTROL_${answer.code}`, 'the parent did not do it', {
        request: request.type,
      });
      // The parent may still hold our own lost connection for the owner of the store.
      if (answer.code === 'STORE_BUSY' && hasAskedStore) throw new LostResponse(false, error);
      throw error;
    }
    if (!isResponseTo(answer, request)) {
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
    const cause = error instanceof LostResponse ? error.cause : error;
    if (error instanceof LostResponse && error.wasSent && cause instanceof FrameError) {
      if (cause.code === 'FRAME_TRUNCATED') throw invalidResponse(cause);
    }
    if (cause instanceof ControlError) throw cause;
    throw new ControlError('CONTROL_DISCONNECTED', 'the parent cannot be reached', {}, cause);
  }

  async #exchange(request: ControlRequest, end: number): Promise<ControlResponse> {
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
      return await frames.read(controlResponseSchema, limits());
    } catch (error) {
      this.#hangUp();
      if (!(error instanceof FrameError)) throw error;
      throw this.#fromFrameError(error, request.type);
    }
  }

  #fromFrameError(error: FrameError, request: string): Error {
    if (LOST_CODES.has(error.code)) return new LostResponse(true, error);
    if (error.code === 'FRAME_ABORTED') return closed();
    if (error.code !== 'FRAME_TIMEOUT') return invalidResponse(error);
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
      if (error instanceof TransportError) throw new LostResponse(false, error);
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

function isResponseTo<Request extends ControlRequest>(
  answer: ControlResponse,
  request: Request,
): answer is ResponseTo<Request> {
  return answer.type === request.type;
}

function invalidResponse(cause: FrameError): ControlError {
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
