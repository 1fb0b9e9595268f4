import type { NodePhase } from '../../shared/protocol/control.ts';

/** What the enclave said last about itself. The parent believes it no more than the enclave believes the parent. */
export interface NodeStatus {
  readonly phase: NodePhase;
  /** The code of the error that ended it, in phase `failed`. */
  readonly code: string | null;
  /** Milliseconds since 1970: since when it has said so. */
  readonly since: number;
  /** Milliseconds since 1970: when it said so last. One that serves says so every 15 seconds. */
  readonly heardAt: number;
}

export interface NodeStatusHolder {
  /** `null` as long as no enclave has said anything. */
  readonly current: NodeStatus | null;
  /** Whether it serves: it said so last, and not too long ago. */
  readonly isServing: boolean;
  /** Returns whether that is news. */
  report(phase: NodePhase, code: string | null): boolean;
}

/** A node that serves and has not said so for that long hangs, or is gone. */
export const SILENT_AFTER_MS = 60_000;

/** Milliseconds since 1970 as they were at the start of the process: a clock that is set does not make anybody silent. */
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
      // Any other phase belongs to one life of the node, and that life to its times.
      const isNews = phase !== 'serving' || current?.phase !== 'serving';
      current = Object.freeze({ phase, code, since: isNews ? now : (current?.since ?? now), heardAt: now });
      return isNews;
    },
  };
}
