import { setTimeout as sleep } from 'node:timers/promises';
import { FrameError, FrameStream, type FrameErrorCode } from '../frames/index.ts';
import { TransportError } from '../transport/errors.ts';
import { PARENT_CID } from '../transport/ports.ts';
import type { Transport } from '../transport/transport.ts';
import type { ErrorCodeOf, LinkFailure, Message, RequestService, ResponseTo } from './request-service.ts';

const FIRST_RETRY_MS = 20;
const MAX_RETRY_MS = 1_000;
const LOST_CODES: ReadonlySet<FrameErrorCode> = new Set([
  'FRAME_END',
  'FRAME_STREAM_FAILED',
  'FRAME_TRUNCATED',
]);

/** Makes the service's own error of a failure of the link, or of the code that the parent answered. */
export type ToServiceError<Response extends Message> = (
  code: ErrorCodeOf<Response> | LinkFailure,
  message: string,
  details?: Record<string, unknown>,
  cause?: unknown,
) => Error;

/** The connection broke before the answer; `wasSent` unless the request certainly never left. */
export class LostResponse extends Error {
  readonly wasSent: boolean;
  constructor(wasSent: boolean, cause: unknown) {
    super('the connection was lost', { cause });
    this.wasSent = wasSent;
  }
}

/** The one connection to a service of the parent, and what it means when it breaks. */
export class RequestLink<Request extends Message, Response extends Message> {
  readonly #transport: Transport;
  readonly #service: RequestService<Request, Response>;
  readonly #toError: ToServiceError<Response>;
  readonly #closing = new AbortController();
  #frames: FrameStream | undefined;

  constructor(
    transport: Transport,
    service: RequestService<Request, Response>,
    toError: ToServiceError<Response>,
  ) {
    this.#transport = transport;
    this.#service = service;
    this.#toError = toError;
  }

  close(): void {
    this.#closing.abort();
    this.#hangUp();
  }

  /** Asks until an answer comes or the deadline passes. For requests that may be repeated without harm. */
  async ask<Asked extends Request>(request: Asked, end: number): Promise<ResponseTo<Asked, Response>> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.askOnce(request, end);
      } catch (error) {
        if (!(error instanceof LostResponse)) throw error;
        await this.pause(attempt, end, error);
      }
    }
  }

  /** @throws LostResponse where asking again is the caller's decision; the service's error where it is not */
  async askOnce<Asked extends Request>(request: Asked, end: number): Promise<ResponseTo<Asked, Response>> {
    const answer = await this.#exchange(request, end);
    if (isError(answer)) {
      throw this.#toError(answer.code, 'the parent did not do it', { request: request.type });
    }
    if (!isResponseTo(answer, request)) {
      this.#hangUp();
      throw this.#toError('ANSWER_INVALID', 'an answer to something else', {
        request: request.type,
        answer: answer.type,
      });
    }
    return answer;
  }

  /** Waits before another attempt. @throws the service's error where its time would be past the deadline */
  async pause(attempt: number, end: number, error: unknown): Promise<void> {
    const wait = Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS);
    if (performance.now() + wait < end) {
      await sleep(wait, undefined, { signal: this.#closing.signal }).catch(() => {});
      this.#assertOpen();
      return;
    }
    const cause = error instanceof LostResponse ? error.cause : error;
    if (error instanceof LostResponse && error.wasSent && cause instanceof FrameError) {
      if (cause.code === 'FRAME_TRUNCATED') throw this.#invalidResponse(cause);
    }
    // The service's own error says more than that the connection was given up.
    if (!(cause instanceof FrameError || cause instanceof TransportError)) throw cause;
    throw this.#toError('DISCONNECTED', 'the parent cannot be reached', {}, cause);
  }

  async #exchange(request: Request, end: number): Promise<Response> {
    this.#assertOpen();
    const frames = await this.#connect(end);
    if (frames.hasUnread) {
      this.#hangUp();
      throw this.#toError('ANSWER_INVALID', 'an answer that nobody asked for');
    }
    const limits = () => ({
      timeoutMs: Math.max(1, end - performance.now()),
      signal: this.#closing.signal,
    });
    try {
      await frames.write(request, limits());
      return await frames.read(this.#service.responseSchema, limits());
    } catch (error) {
      this.#hangUp();
      if (!(error instanceof FrameError)) throw error;
      throw this.#fromFrameError(error, request.type);
    }
  }

  #fromFrameError(error: FrameError, request: string): Error {
    if (LOST_CODES.has(error.code)) return new LostResponse(true, error);
    if (error.code === 'FRAME_ABORTED') return this.#closed();
    if (error.code !== 'FRAME_TIMEOUT') return this.#invalidResponse(error);
    return this.#toError('TIMEOUT', 'no answer in time', { request }, error);
  }

  async #connect(end: number): Promise<FrameStream> {
    if (this.#frames !== undefined) return this.#frames;
    try {
      const stream = await this.#transport.connect(
        { cid: PARENT_CID, port: this.#service.port },
        { timeoutMs: Math.max(1, end - performance.now()), signal: this.#closing.signal },
      );
      this.#frames = new FrameStream(stream, { maxBytes: this.#service.maxFrameBytes });
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
    if (this.#closing.signal.aborted) throw this.#closed();
  }

  #invalidResponse(cause: FrameError): Error {
    return this.#toError('ANSWER_INVALID', 'the parent gave no proper answer', { frame: cause.code }, cause);
  }

  #closed(): Error {
    return this.#toError('CLOSED', `the ${this.#service.name} connection is closed`);
  }
}

function isError<Response extends Message>(
  answer: Response,
): answer is Extract<Response, { type: 'error'; code: string }> {
  return answer.type === 'error';
}

function isResponseTo<Request extends Message, Response extends Message>(
  answer: Response,
  request: Request,
): answer is ResponseTo<Request, Response> {
  return answer.type === request.type;
}
