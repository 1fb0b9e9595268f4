import { Accumulations } from './accumulations/index.ts';
import type { Policy } from './policy.ts';
import { createRateLimits, type RateLimits } from './rate-limits.ts';

/** What decisions change: what is left of rates, in memory alone, and what was spent, which the store keeps. */
export interface PolicyState {
  readonly rates: RateLimits;
  readonly accumulations: Pick<Accumulations, 'findShortage' | 'charge'>;
}

/** The time of a decision. */
export interface PolicyTime {
  /** Milliseconds since 1970, by the NSM. */
  readonly now: number;
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: number;
}

/**
 * Creates the state of a node that starts.
 *
 * @param accumulations those that the store held
 */
export function createPolicyState(
  { ruleCount }: Policy,
  monotonic: number,
  accumulations = new Accumulations(),
): PolicyState & { readonly accumulations: Accumulations } {
  return { rates: createRateLimits(ruleCount, monotonic), accumulations };
}
