import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { startRelay, type Relay } from './relay.ts';

export interface ConnectionDeadlines {
  /** Milliseconds without a byte either way. */
  readonly idleMs: number;
  /** Milliseconds from beginning to end. */
  readonly lifetimeMs: number;
}

/** Why a connection ended that did not end by itself. */
export type CutReason = 'IDLE' | 'LIFETIME' | 'STOPPED';

export interface ClosedConnection {
  /** Bytes that the TCP side received and sent. */
  readonly received: number;
  readonly sent: number;
  readonly durationMs: number;
  readonly cut: CutReason | undefined;
}

const REST_MS = 250;
const STOP_PERIOD_MS = 50;

/** Which end asks, so that the other one's silence after its answer is rest, and before it is work. */
export type Asker = 'far' | 'near';

interface Entry {
  readonly asker: Asker;
  readonly relay: Relay;
  readonly startedAt: number;
  activeAt: number;
  bytes: number;
  cut: CutReason | undefined;
}

/**
 * The connections that are being forwarded. One timer watches them all, by the byte counters that the sockets keep
 * anyway: nothing is set or cleared for each chunk.
 */
export class ConnectionTable {
  readonly #deadlines: ConnectionDeadlines;
  readonly #clock: () => number;
  readonly #entries = new Set<Entry>();
  readonly #timer: NodeJS.Timeout;
  #onEmpty: (() => void) | undefined;
  #stopped = false;
  #closedBytes = { received: 0, sent: 0 };

  constructor(deadlines: ConnectionDeadlines, clock: () => number = () => performance.now()) {
    this.#deadlines = deadlines;
    this.#clock = clock;
    const period = Math.max(10, Math.min(1_000, deadlines.idleMs / 4, deadlines.lifetimeMs / 4));
    this.#timer = setInterval(() => this.#sweep(), period).unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Bytes of all connections so far, the open ones included. */
  get bytes(): { readonly received: number; readonly sent: number } {
    let { received, sent } = this.#closedBytes;
    for (const { relay } of this.#entries) {
      received += relay.far.bytesRead;
      sent += relay.far.bytesWritten;
    }
    return { received, sent };
  }

  /**
   * Forwards between a vsock stream (near) and a TCP socket (far) until both are closed. They belong to the table: what
   * was heard of them before says nothing any more.
   */
  forward(near: Duplex, far: Socket, asker: Asker, onClosed: (closed: ClosedConnection) => void): void {
    const now = this.#clock();
    const relay = startRelay(near, far, this.#clock, () => {
      const { bytesRead: received, bytesWritten: sent } = relay.far;
      this.#entries.delete(entry);
      this.#closedBytes.received += received;
      this.#closedBytes.sent += sent;
      onClosed({ received, sent, durationMs: this.#clock() - entry.startedAt, cut: entry.cut });
      if (this.#entries.size === 0) this.#onEmpty?.();
    });
    const entry: Entry = { relay, asker, startedAt: now, activeAt: now, bytes: 0, cut: undefined };
    this.#entries.add(entry);
    if (this.#stopped) cut(entry, 'STOPPED');
  }

  /**
   * Cuts what is at rest, gives what is at work so many milliseconds to end by itself or to come to rest, then cuts that
   * and whatever comes later.
   */
  async stop(graceMs: number): Promise<void> {
    const end = this.#clock() + graceMs;
    const cutIdle = () => {
      const now = this.#clock();
      for (const entry of this.#entries) {
        if (now >= end || isAtRest(entry, now)) cut(entry, 'STOPPED');
      }
    };
    if (this.#entries.size > 0) {
      const timer = setInterval(cutIdle, Math.min(STOP_PERIOD_MS, graceMs));
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        cutIdle();
      });
      clearInterval(timer);
    }
    this.#stopped = true;
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const now = this.#clock();
    for (const entry of this.#entries) {
      const bytes = entry.relay.far.bytesRead + entry.relay.far.bytesWritten;
      if (bytes !== entry.bytes) {
        entry.bytes = bytes;
        entry.activeAt = now;
      }
      if (now - entry.startedAt >= this.#deadlines.lifetimeMs) cut(entry, 'LIFETIME');
      else if (now - entry.activeAt >= this.#deadlines.idleMs) cut(entry, 'IDLE');
    }
  }
}

/**
 * Whether nothing is under way: the last that moved was an answer, a while ago, neither end has ended and nothing waits to
 * be sent. Who has asked and has no answer yet is at work, however long that takes.
 */
function isAtRest({ relay: { near, far, last }, asker, startedAt }: Entry, now: number): boolean {
  const isOpen = [near, far].every(
    (end) => end.writable && end.writableLength === 0 && !end.readableEnded && end.readableLength === 0,
  );
  return isOpen && last?.from !== asker && now - (last?.at ?? startedAt) >= REST_MS;
}

function cut(entry: Entry, reason: CutReason): void {
  entry.cut ??= reason;
  entry.relay.near.destroy();
  entry.relay.far.destroy();
}
