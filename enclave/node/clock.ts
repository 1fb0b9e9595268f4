import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import type { NsmClient } from '../nsm/index.ts';
import { BootError } from './errors.ts';

/** How far the system's clock may be from the NSM's at the start, in milliseconds: drift of seconds a week is normal. */
export const MAX_CLOCK_DRIFT_MS = 60_000;
/** How often the time is read from the NSM again. */
const RESYNC_MS = 600_000;

/** Time that the parent cannot set: the NSM's, carried on by the monotonic clock in between. */
export interface NodeClock {
  /** Milliseconds since 1970; never less than it said before. */
  now(): number;
  /** The node's time less the system's when it started, in milliseconds. */
  readonly offsetMs: number;
  /** Ends the synchronisation. */
  close(): void;
}

/**
 * Reads the time from an attestation document of our own, holds the system's clock against it, and goes on doing so
 * every ten minutes. Also refuses to run in a debug enclave, since the same document tells.
 *
 * @throws BootError CLOCK_DRIFT, DEBUG_ENCLAVE; NsmError; AttestationError
 */
export async function startNodeClock(nsm: NsmClient, systemClock: () => number): Promise<NodeClock> {
  let anchor = await readAnchor(nsm);
  assertProduction(anchor.pcrs);
  const offsetMs = anchor.timestamp - systemClock();
  if (Math.abs(offsetMs) > MAX_CLOCK_DRIFT_MS) {
    throw new BootError('CLOCK_DRIFT', "the system's clock is off the NSM's", {
      offsetMs,
      maximum: MAX_CLOCK_DRIFT_MS,
    });
  }
  let latest = 0;
  const timer = setInterval(() => {
    readAnchor(nsm).then(
      (next) => {
        anchor = next;
      },
      // Without an answer the monotonic clock carries on, and the next document will tell.
      () => undefined,
    );
  }, RESYNC_MS).unref();
  return {
    now: () => {
      latest = Math.max(latest, Math.round(anchor.timestamp + performance.now() - anchor.read));
      return latest;
    },
    offsetMs,
    close: () => clearInterval(timer),
  };
}

async function readAnchor(nsm: NsmClient) {
  const { payload } = unsafeParseAttestationDocument(await nsm.attest({}));
  return { timestamp: payload.timestamp, pcrs: payload.pcrs, read: performance.now() };
}

function assertProduction(pcrs: ReadonlyMap<number, Uint8Array>): void {
  for (const index of [0, 1, 2]) {
    const value = pcrs.get(index);
    if (value === undefined || value.every((byte) => byte === 0)) {
      throw new BootError('DEBUG_ENCLAVE', 'a debug enclave keeps no secret', { index });
    }
  }
}
