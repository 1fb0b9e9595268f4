import { setTimeout as sleep } from 'node:timers/promises';
import { type Fate, fateOf } from './errors.ts';

/** Pauses in milliseconds after refusals for a rate; each further try is a decision that the node records. */
const RATE_PAUSES_MS = [1_000, 2_000, 3_000];
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 1_000;

export interface PatienceOptions {
  /** Milliseconds that the door may wait by itself. */
  readonly waitMs: number;
  /** Whether the request does nothing, or the same once more, where it is carried out twice. */
  readonly isRepeatable: boolean;
  /** Whether nobody waits for the response any more. */
  readonly isAbandoned: () => boolean;
}

/**
 * Asks a node, and asks again for a bounded time where that is harmless: nothing was carried out (the node restarts, or
 * has no room), a rate is used up for now, or the request is one that may be carried out twice. Some clients give up after
 * three seconds of refusals.
 */
export async function askPatiently<T>(
  act: () => Promise<T>,
  { waitMs, isRepeatable, isAbandoned }: PatienceOptions,
): Promise<T> {
  const end = performance.now() + waitMs;
  let pause = FIRST_PAUSE_MS;
  let throttled = 0;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const fate = fateOf(error);
      const wait = fate === 'throttled' ? RATE_PAUSES_MS[throttled] : pause;
      if (wait === undefined || !mayRepeat(fate, isRepeatable)) throw error;
      if (performance.now() + wait > end || isAbandoned()) throw error;
      if (fate === 'throttled') throttled += 1;
      else pause = Math.min(2 * pause, LAST_PAUSE_MS);
      await sleep(wait);
    }
  }
}

function mayRepeat(fate: Fate, isRepeatable: boolean): boolean {
  return fate === 'not-carried-out' || fate === 'throttled' || (fate === 'unknown' && isRepeatable);
}
