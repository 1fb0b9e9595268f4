import type { NodePhase } from '../../shared/protocol/control.ts';

/** What the enclave said last about itself. The parent believes it no more than the enclave believes the parent. */
export interface NodeStatus {
  readonly phase: NodePhase;
  /** The code of the error that ended it, in phase `failed`. */
  readonly code: string | null;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export interface NodeStatusHolder {
  /** `null` as long as no enclave has said anything. */
  readonly current: NodeStatus | null;
  report(phase: NodePhase, code: string | null): void;
}

export function createNodeStatus(clock: () => number = Date.now): NodeStatusHolder {
  let current: NodeStatus | null = null;
  return {
    get current() {
      return current;
    },
    report(phase, code) {
      current = Object.freeze({ phase, code, since: clock() });
    },
  };
}
