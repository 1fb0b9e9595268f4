import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { joinStreams } from './forward.ts';

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

interface Entry {
  readonly near: Duplex;
  readonly tcp: Socket;
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
    for (const { tcp } of this.#entries) {
      received += tcp.bytesRead;
      sent += tcp.bytesWritten;
    }
    return { received, sent };
  }

  /** Forwards between a vsock stream and a TCP socket until both are closed. */
  forward(near: Duplex, tcp: Socket, onClosed: (closed: ClosedConnection) => void): void {
    const now = this.#clock();
    const entry: Entry = { near, tcp, startedAt: now, activeAt: now, bytes: 0, cut: undefined };
    this.#entries.add(entry);
    joinStreams(near, tcp, () => {
      this.#entries.delete(entry);
      this.#closedBytes.received += tcp.bytesRead;
      this.#closedBytes.sent += tcp.bytesWritten;
      onClosed({
        received: tcp.bytesRead,
        sent: tcp.bytesWritten,
        durationMs: this.#clock() - entry.startedAt,
        cut: entry.cut,
      });
      if (this.#entries.size === 0) this.#onEmpty?.();
    });
  }

  /** Gives what is open so many milliseconds to end by itself, then cuts it. */
  async stop(graceMs: number): Promise<void> {
    if (this.#entries.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        setTimeout(() => {
          for (const entry of this.#entries) cut(entry, 'STOPPED');
        }, graceMs).unref();
      });
    }
    clearInterval(this.#timer);
  }

  #sweep(): void {
    const now = this.#clock();
    for (const entry of this.#entries) {
      const bytes = entry.tcp.bytesRead + entry.tcp.bytesWritten;
      if (bytes !== entry.bytes) {
        entry.bytes = bytes;
        entry.activeAt = now;
      }
      if (now - entry.startedAt >= this.#deadlines.lifetimeMs) cut(entry, 'LIFETIME');
      else if (now - entry.activeAt >= this.#deadlines.idleMs) cut(entry, 'IDLE');
    }
  }
}

function cut(entry: Entry, reason: CutReason): void {
  entry.cut ??= reason;
  entry.near.destroy();
  entry.tcp.destroy();
}
