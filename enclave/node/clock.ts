import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import type { NsmClient } from '../nsm/index.ts';
import { BootError } from './errors.ts';

/** Milliseconds that the system's clock may differ from the NSM's at the start; seconds a week are normal drift. */
export const MAX_CLOCK_DRIFT_MS = 60_000;
/** Milliseconds between two readings of the time from the NSM. */
const RESYNC_MS = 600_000;

/** A clock that the parent cannot set: the NSM's time, continued by the monotonic clock between two readings. */
export interface NodeClock {
  /** Returns milliseconds since 1970, never less than in an earlier call. */
  now(): number;
  /** The NSM's time less the system's at the start of the node, in milliseconds. */
  readonly offsetMs: number;
  /** Ends the synchronisation. */
  close(): void;
}

/**
 * Starts the clock from the timestamp of an attestation document, against which the system's clock is checked once, and
 * reads the timestamp again every ten minutes. The PCRs of the first document must not be those of a debug enclave.
 *
 * @throws BootError CLOCK_DRIFT, DEBUG_ENCLAVE; NsmError; AttestationError
 */
export async function startNodeClock(nsm: NsmClient, systemClock: () => number): Promise<NodeClock> {
  let anchor = await readAnchor(nsm);
  assertProduction(anchor.pcrs);
  const offsetMs = anchor.timestamp - systemClock();
  if (Math.abs(offsetMs) > MAX_CLOCK_DRIFT_MS) {
    throw new BootError('CLOCK_DRIFT', "the system's clock differs from the NSM's by more than the maximum", {
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
      // After a failed reading the monotonic clock continues until the next one.
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
      throw new BootError(
        'DEBUG_ENCLAVE',
        'expected the measurement of an image, found zero: this is a debug enclave',
        { index },
      );
    }
  }
}
