import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../../../shared/errors.ts';
import type { Log } from '../../common/log.ts';
import type { ConnectOutcome } from '../carrier.ts';
import { PeerLinkError } from '../errors.ts';
import type { DirectLimits } from '../options.ts';
import type { Link } from './link.ts';

export interface DiallerOptions {
  readonly node: number;
  /** Connects and greets. @throws PeerLinkError */
  readonly connect: (signal: AbortSignal) => Promise<Link>;
  readonly limits: DirectLimits;
  readonly onOutcome: (outcome: ConnectOutcome) => void;
  readonly log: Log;
}

/** Keeps one connection to a node, and dials again when it has ended, with pauses that grow and are never the same. */
export class Dialler {
  readonly #options: DiallerOptions;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(options: DiallerOptions) {
    this.#options = options;
    this.#done = this.#run(this.#stop.signal);
  }

  /** Dials no more, and waits for a connection that stands: its owner ends it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { node, connect, limits, onOutcome, log } = this.#options;
    const { minBackoffMs, maxBackoffMs, idleTimeoutMs } = limits;
    let backoffMs = minBackoffMs;
    let last: string | undefined;
    while (!signal.aborted) {
      const startedAt = performance.now();
      let outcome: ConnectOutcome = 'ok';
      try {
        const link = await connect(signal);
        onOutcome('ok');
        log('info', 'peers.connected', { node });
        last = 'ok';
        await link.done;
      } catch (error) {
        if (signal.aborted) return;
        outcome = error instanceof PeerLinkError ? error.code : 'CONNECT_FAILED';
        onOutcome(outcome);
        // One line for each reason, however often it comes.
        if (outcome !== last) log('warn', 'peers.not-connected', { node, code: errorCode(error) });
        last = outcome;
      }
      if (outcome === 'ok' && performance.now() - startedAt > idleTimeoutMs) backoffMs = minBackoffMs;
      await sleep(backoffMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
      backoffMs = Math.min(backoffMs * 2, maxBackoffMs);
    }
  }
}
