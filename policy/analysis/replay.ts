import type { Configuration } from '../../shared/documents/configuration.ts';
import { decide } from '../decision.ts';
import { preparePolicy } from '../policy.ts';
import type { PolicyRequest } from '../request.ts';
import { createPolicyState } from '../state.ts';
import { type Decided, denied, describeDecision } from './decided.ts';
import { isOver } from './reading.ts';

/** The longest time that a rate spans, in milliseconds: after it, every bucket is full. */
const FULL_MS = 31 * 86_400_000;

/** Decides the requests of a log as a node that has had one configuration all along. */
export interface Replay {
  /**
   * Decides the next request.
   *
   * @param at milliseconds since 1970, of the log's entry
   */
  decide(request: PolicyRequest, at: number): Decided;
}

/** Creates a replay: limits start unspent and rates full. What it remembers is bounded, however long the log is. */
export function createReplay(configuration: Configuration): Replay {
  const policy = preparePolicy(configuration);
  const state = createPolicyState(policy, 0);
  let monotonic = FULL_MS;
  let latest: number | undefined;
  return {
    decide(request, at) {
      // The clock of the NSM may have been set back; the monotonic one never is.
      monotonic += Math.max(0, at - (latest ?? at));
      latest = Math.max(latest ?? at, at);
      if (isOver(configuration, at)) return denied('CONFIGURATION_EXPIRED');
      return describeDecision(decide(policy, request, state, { now: at, monotonic }));
    },
  };
}
