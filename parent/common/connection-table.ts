import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { startRelay, type Relay } from './relay.ts';

export interface ConnectionDeadlines {
  /** Milliseconds without a byte in either direction after which a connection is cut. */
  readonly idleMs: number;
  /** Milliseconds that a connection may last in all. */
  readonly lifetimeMs: number;
}

/** Reason why the table cut a connection. */
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

/** End that sends requests. The other end's silence is rest after its response, and work before it. */
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
 * Table of the connections that are being forwarded. One timer watches all of them by the byte counters that sockets
 * keep anyway: no timer is set or cleared for a chunk.
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
   * Forwards between a vsock stream (near) and a TCP socket (far) until both are closed. Both belong to the table from
   * now on: events that they emitted before have no meaning to it.
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
   * Cuts connections at rest, gives those at work `graceMs` milliseconds to end or to come to rest, then cuts these and
   * any that come later.
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
 * Tells whether nothing is under way: the last bytes were a response, a while ago, neither end has ended, and nothing
 * waits to be sent. A connection whose request has no response yet is at work, however long the response takes.
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
