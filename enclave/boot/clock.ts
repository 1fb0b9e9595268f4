import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import type { NsmClient } from '../nsm/index.ts';
import { BootError } from './errors.ts';

/** How far the system's clock may be from the NSM's, in milliseconds: drift of seconds a week is normal. */
export const MAX_CLOCK_DRIFT_MS = 60_000;

/** Time that the parent cannot set: the NSM's, carried on by the monotonic clock (P41). */
export interface NodeClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** The node's time less the system's, in milliseconds. */
  readonly offsetMs: number;
}

/**
 * Reads the time from an attestation document of our own and holds the system's clock against it. Also refuses to run
 * in a debug enclave, since the same document tells.
 *
 * @throws BootError CLOCK_DRIFT, DEBUG_ENCLAVE; NsmError; AttestationError
 */
export async function readNodeClock(nsm: NsmClient, systemClock: () => number): Promise<NodeClock> {
  const { payload } = unsafeParseAttestationDocument(await nsm.attest({}));
  const anchor = performance.now();
  for (const index of [0, 1, 2]) {
    const value = payload.pcrs.get(index);
    if (value === undefined || value.every((byte) => byte === 0)) {
      throw new BootError('DEBUG_ENCLAVE', 'a debug enclave keeps no secret', { index });
    }
  }
  const offsetMs = payload.timestamp - systemClock();
  if (Math.abs(offsetMs) > MAX_CLOCK_DRIFT_MS) {
    throw new BootError('CLOCK_DRIFT', "the system's clock is off the NSM's", {
      offsetMs,
      maximum: MAX_CLOCK_DRIFT_MS,
    });
  }
  return { now: () => Math.round(payload.timestamp + performance.now() - anchor), offsetMs };
}
