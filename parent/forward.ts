import type { Duplex } from 'node:stream';

const LINGER_MS = 5_000;

/**
 * Joins two duplexes: what one receives the other sends, with backpressure. An end travels as an end, so that either
 * direction goes on without the other. Calls back once both are closed.
 */
export function joinStreams(near: Duplex, far: Duplex, onClosed: () => void): void {
  closeTogether(near, far, onClosed);
  near.pipe(far);
  far.pipe(near);
}

/**
 * When one of two ends breaks, the other is destroyed, but not before it has sent what it was given if the broken one
 * had properly ended. Calls back once both are closed.
 */
export function closeTogether(near: Duplex, far: Duplex, onClosed: () => void): void {
  let open = 2;
  const close = (closed: Duplex, other: Duplex) => {
    open -= 1;
    if (open === 0) onClosed();
    else if (closed.readableEnded && !other.destroyed) hangUp(other);
    else other.destroy();
  };
  for (const [stream, other] of [
    [near, far],
    [far, near],
  ] as const) {
    stream.on('error', () => {});
    stream.once('close', () => close(stream, other));
    // A stream that broke before it came here has no more events to give.
    if (stream.closed) process.nextTick(close, stream, other);
  }
}

/** Sends what is left, then destroys; a peer that does not take it has five seconds. */
export function hangUp(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  stream.once('close', () => clearTimeout(timer));
  // What still comes in has nowhere to go; unread, it would turn the close into a reset.
  stream.resume();
  stream.end(() => stream.destroy());
}
