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

/** Looks in a row that have to find nothing given up. */
const STILL = 3;

/** Collects garbage until a while has passed in which nothing more was freed or closed, and measures what is left. */
export async function measureHoldings(): Promise<Holdings> {
  let least = look();
  for (let still = 0; still < STILL; still += 1) {
    // Finalizers run in turns of the event loop of their own, and sockets close in some.
    await sleep(20);
    const now = look();
    const hasFallen =
      now.bytes < least.bytes - 10_000 ||
      now.descriptors < least.descriptors ||
      now.resources < least.resources;
    if (hasFallen) still = -1;
    least = {
      bytes: Math.min(least.bytes, now.bytes),
      descriptors: Math.min(least.descriptors, now.descriptors),
      resources: Math.min(least.resources, now.resources),
    };
  }
  return least;
}

function look(): Holdings {
  return {
    bytes: heldBytes(),
    descriptors: readdirSync('/proc/self/fd').length,
    resources: process.getActiveResourcesInfo().length,
  };
}

function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
