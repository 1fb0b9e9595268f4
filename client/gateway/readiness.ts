import { ClientError } from '../errors.ts';
import { errorCode } from '../../shared/errors.ts';

/** State of one node, as the door saw it last. */
export interface NodeState {
  readonly url: string;
  /** Undefined where the node is verified and answers, else the code of what is wrong with it. */
  readonly code: string | undefined;
}

/** Whether a door can carry requests. */
export interface Readiness {
  readonly isReady: boolean;
  /** Why it is not ready: `STARTING`, `STOPPING`, `STALE`, or the code of the node or of the client's refusal. */
  readonly code: string | null;
  readonly nodes: readonly NodeState[];
}

/** Returns the code of a failure to reach nodes: that of the first node, where all were passed over. */
export function nodeCode(error: unknown): string {
  if (error instanceof ClientError && error.code === 'NODES_UNREACHABLE') {
    const codes = Object.values((error.details['nodes'] ?? {}) as Record<string, string>);
    return codes[0] ?? error.code;
  }
  return errorCode(error);
}
