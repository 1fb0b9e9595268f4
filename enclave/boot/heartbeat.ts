import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../../shared/protocol/control-client.ts';

const EVERY_MS = 15_000;

/**
 * Tells the parent again and again that this node serves, until the function that it returns is called: a parent that
 * was restarted does not know it, and silence is how a parent learns that a node hangs. What becomes of a message
 * matters to nobody here.
 */
export function startHeartbeat(control: Pick<ControlClient, 'reportStatus'>, everyMs = EVERY_MS): () => void {
  const stopped = new AbortController();
  const { signal } = stopped;
  const isOver = () => signal.aborted;
  async function speak(): Promise<void> {
    while (!isOver()) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!isOver()) await control.reportStatus('serving', null).catch(() => undefined);
    }
  }
  void speak();
  return () => stopped.abort();
}
