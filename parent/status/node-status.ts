import type { NodePhase } from '../../shared/protocol/control.ts';

/**
 * Last report of the enclave about itself. The parent believes the enclave no more than the enclave believes the
 * parent.
 */
export interface NodeStatus {
  readonly phase: NodePhase;
  /** Code of the error that ended the node, in phase `failed`; in phase `serving`, of what is lacking. */
  readonly code: string | null;
  /** Milliseconds since 1970 at which the node first reported this phase. */
  readonly since: number;
  /** Milliseconds since 1970 of the last report. A node that serves reports every 15 seconds. */
  readonly heardAt: number;
}

export interface NodeStatusHolder {
  /** Last report; `null` before the first. */
  readonly current: NodeStatus | null;
  /** True where the last report says that the node serves, and is not too old. */
  readonly isServing: boolean;
  /** Takes a report; returns false only where a node that serves reports once more that it does. */
  report(phase: NodePhase, code: string | null): boolean;
}

/** Milliseconds without a report after which a node that serves hangs, or is gone. */
export const SILENT_AFTER_MS = 60_000;

/**
 * Milliseconds since 1970 by the clock as it was at the start of the process: setting the clock makes no node silent.
 */
export function steadyClock(): number {
  return performance.timeOrigin + performance.now();
}

export function createNodeStatus(clock: () => number = steadyClock): NodeStatusHolder {
  let current: NodeStatus | null = null;
  return {
    get current() {
      return current;
    },
    get isServing() {
      return current?.phase === 'serving' && clock() - current.heardAt <= SILENT_AFTER_MS;
    },
    report(phase, code) {
      const now = Math.round(clock());
      // Any other phase belongs to one life of the node, and so do its times.
      const isNews = phase !== 'serving' || current?.phase !== 'serving';
      current = Object.freeze({ phase, code, since: isNews ? now : (current?.since ?? now), heardAt: now });
      return isNews;
    },
  };
}
