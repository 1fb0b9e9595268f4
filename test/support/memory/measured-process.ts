import { setTimeout as sleep } from 'node:timers/promises';

/** Memory of a measured process, in bytes. */
export interface HeldMemory {
  /** Memory of JavaScript: the heap and the buffers outside of it, once all garbage is collected. */
  readonly held: number;
  /** Resident memory of the process, which OpenSSL's is part of, once all garbage is collected. */
  readonly resident: number;
}

export type MeasuredTold<Ready> = { readonly ready: Ready } | HeldMemory;

/** Reports, from within the measured process, that it is ready, and its memory whenever it is asked. */
export function serveMeasurements(ready: object): void {
  process.once('disconnect', () => process.exit(0));
  process.on(
    'message',
    (told) => told === 'measure' && void measure().then((memory) => process.send?.(memory)),
  );
  process.send?.({ ready });
}

async function measure(): Promise<HeldMemory> {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc?.();
    // Finalizers run in turns of the event loop of their own.
    await sleep(10);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { held: heapUsed + external, resident: rss };
}
