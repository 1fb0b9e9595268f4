import type { Duplex } from 'node:stream';

const LINGER_MS = 5_000;

/**
 * Joins two duplexes: each sends what the other receives, with backpressure. An end travels as an end, so that either
 * direction goes on without the other. Calls `onClosed` once both are closed.
 */
export function joinStreams(near: Duplex, far: Duplex, onClosed: () => void): void {
  closeTogether(near, far, onClosed);
  near.pipe(far);
  far.pipe(near);
}

/**
 * Destroys one of two ends when the other breaks; where the broken one had properly ended, first sends what the
 * remaining one was given. Calls `onClosed` once both are closed.
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

/** Sends what is left, then destroys; a peer that does not take the rest has five seconds. */
export function hangUp(stream: Duplex): void {
  if (stream.destroyed) return;
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  stream.once('close', () => clearTimeout(timer));
  // Bytes that still come in have nowhere to go; unread, they would turn the close into a reset.
  stream.resume();
  stream.end(() => stream.destroy());
}
