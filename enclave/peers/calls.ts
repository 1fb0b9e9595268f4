import { errorCode } from '../../shared/errors.ts';
import { PeerError } from './errors.ts';
import { MAX_CALLS, MAX_HANDLED_BYTES, MAX_HANDLED_CALLS } from './limits.ts';
import { encodeMessage, type Message } from './message.ts';
import {
  type CallOptions,
  MAX_PEER_BODY_BYTES,
  type PeerHandler,
  type PeerIdentity,
} from './peer-network.ts';
import type { Timers } from './timers.ts';

interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: PeerError) => void;
}

export interface CallsOptions {
  readonly node: number;
  readonly timers: Timers;
  /** Handlers by kind; those of a node are the same for all peers. */
  readonly handlers: ReadonlyMap<string, PeerHandler>;
  /** Hands a message to the stream. */
  readonly send: (message: Uint8Array) => void;
  /** Whether the stream takes one more message of that length. */
  readonly hasRoom: (bytes: number) => boolean;
}

/** Calls to one node that wait for their answers, and calls of that node that are being answered. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #handled = 0;
  #handledBytes = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /** Sends a call. @throws PeerError PEER_UNREACHABLE, PEER_REFUSED, PEER_OVERLOADED, PEER_CLOSED */
  async call(kind: string, body: Uint8Array, { timeoutMs, signal }: CallOptions): Promise<Uint8Array> {
    const { node, timers } = this.#options;
    if (signal?.aborted === true)
      throw new PeerError('PEER_UNREACHABLE', 'the call was given up', { node, kind, timeoutMs });
    if (this.#waiting.size >= MAX_CALLS || !this.#options.hasRoom(body.length)) {
      throw new PeerError('PEER_OVERLOADED', 'as much as may wait for the node does so already', {
        node,
        kind,
      });
    }
    const id = this.#nextId;
    this.#nextId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(id, { resolve, reject });
    const giveUp = (reason: string) =>
      reject(new PeerError('PEER_UNREACHABLE', reason, { node, kind, timeoutMs }));
    const onAbort = () => giveUp('the call was given up');
    const cancel = timers.after(timeoutMs, () => giveUp('no answer in time'));
    signal?.addEventListener('abort', onAbort);
    try {
      this.#options.send(encodeMessage({ type: 'call', id, kind, body }));
      return await promise;
    } finally {
      cancel();
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
    }
  }

  /** Takes a message of the node. */
  receive(message: Message, from: PeerIdentity, isOpen: () => boolean): void {
    if (message.type === 'call') {
      void this.#answer(message, from, isOpen);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    // A call that was given up leaves an answer that nobody awaits.
    if (waiting === undefined) return;
    if (message.type === 'answer') waiting.resolve(message.body);
    else {
      const { node } = this.#options;
      const details = { node, code: message.code };
      waiting.reject(new PeerError('PEER_REFUSED', 'the other node has refused', details));
    }
  }

  /** Ends all calls that wait: nobody knows whether they were carried out. */
  fail(code: 'PEER_CLOSED' | 'PEER_UNREACHABLE'): void {
    const { node } = this.#options;
    for (const { reject } of this.#waiting.values()) {
      reject(new PeerError(code, 'the session with the node has ended', { node }));
    }
    this.#waiting.clear();
  }

  async #answer(
    { id, kind, body }: Extract<Message, { type: 'call' }>,
    from: PeerIdentity,
    isOpen: () => boolean,
  ): Promise<void> {
    const result = await this.#handle(kind, body, from);
    const message = encodeMessage({ ...result, id });
    // The stream that the call came by may be over; on the next one nobody awaits the answer.
    if (!isOpen()) return;
    if (this.#options.hasRoom(message.length)) this.#options.send(message);
    else if (this.#options.hasRoom(0)) {
      this.#options.send(encodeMessage({ type: 'error', code: 'PEER_OVERLOADED', id }));
    }
  }

  async #handle(
    kind: string,
    body: Uint8Array,
    from: PeerIdentity,
  ): Promise<{ type: 'answer'; body: Uint8Array } | { type: 'error'; code: string }> {
    const handler = this.#options.handlers.get(kind);
    if (handler === undefined) return { type: 'error', code: 'PEER_KIND_UNKNOWN' };
    if (this.#handled >= MAX_HANDLED_CALLS || this.#handledBytes + body.length > MAX_HANDLED_BYTES)
      return { type: 'error', code: 'PEER_OVERLOADED' };
    this.#handled += 1;
    this.#handledBytes += body.length;
    try {
      const answer = await handler(from, body);
      if (answer.length > MAX_PEER_BODY_BYTES) return { type: 'error', code: 'INTERNAL' };
      return { type: 'answer', body: answer };
    } catch (error) {
      return { type: 'error', code: errorCode(error) };
    } finally {
      this.#handled -= 1;
      this.#handledBytes -= body.length;
    }
  }
}
