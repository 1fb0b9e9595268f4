import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory and resources of a process once all garbage has been collected. */
export interface Holdings {
  /** Bytes of the heap, and of buffers outside of it that it holds. */
  readonly bytes: number;
  readonly descriptors: number;
  /** Handles, requests and timers that keep the process alive. */
  readonly resources: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage until a collection frees nothing more, and measures what is left. */
export async function measureHoldings(): Promise<Holdings> {
  let bytes = Infinity;
  for (let now = heldBytes(); now < bytes - 10_000; now = heldBytes()) {
    bytes = now;
    // Finalizers run in turns of the event loop of their own.
    await sleep(20);
  }
  return {
    bytes: Math.min(bytes, heldBytes()),
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
  };
}

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
