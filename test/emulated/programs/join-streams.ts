import { type Duplex, pipeline } from 'node:stream';

/** Carries bytes both ways between two streams until both ways have ended, or one of the two breaks. */
export function joinStreams(one: Duplex, other: Duplex): void {
  // A stream that broke takes the other with it.
  pipeline(one, other, () => undefined);
  pipeline(other, one, () => undefined);
}
