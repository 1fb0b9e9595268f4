import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../../shared/protocol/control-client.ts';

const INTERVAL_MS = 15_000;

export interface HeartbeatOptions {
  /** Milliseconds between two reports; 15,000 when left out. */
  readonly intervalMs?: number;
  /** What an operator should know of a node that serves, as a code; null for nothing. */
  readonly alert?: () => string | null;
}

/**
 * Reports the status `serving` to the parent at intervals, and returns the function that stops it. The parent needs the
 * repetition: after its own restart it knows of no node, and it takes silence for a node that hangs. A report that
 * fails is not repeated before the next interval.
 */
export function startHeartbeat(
  control: Pick<ControlClient, 'reportStatus'>,
  { intervalMs = INTERVAL_MS, alert = () => null }: HeartbeatOptions = {},
): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const isStopped = () => signal.aborted;
  async function report(): Promise<void> {
    while (!isStopped()) {
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!isStopped()) await control.reportStatus('serving', alert()).catch(() => undefined);
    }
  }
  void report();
  return () => stopped.abort();
}
