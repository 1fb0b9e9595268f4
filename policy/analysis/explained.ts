import { Accumulations } from '../accumulations/index.ts';
import { decide } from '../decision.ts';
import { explain } from '../explanation.ts';
import type { Policy } from '../policy.ts';
import { createRateLimits } from '../rate-limits.ts';
import { describeReason } from '../reasons.ts';
import type { PolicyRequest } from '../request.ts';
import type { PolicyState } from '../state.ts';
import { type Decided, describeDecision } from './decided.ts';

/** What one rule says to a request, in words. */
export interface ExplainedRule {
  readonly rule: string;
  readonly effect: 'permit' | 'deny';
  readonly matches: boolean;
  /** The first condition that does not hold; null where all do, and for denials. */
  readonly condition: string | null;
  readonly words: string | null;
}

/** What a configuration decides, and what each of its rules says. */
export interface Explained extends Decided {
  readonly rules: readonly ExplainedRule[];
}

/** After so many milliseconds every rate is full. */
const FULL_MS = 31 * 86_400_000;

/**
 * Makes a state by which decisions change nothing: rates are full, and what was spent is looked at and not added to.
 *
 * @param accumulations what was spent; nothing where it is left out
 */
function makeProbe({ ruleCount }: Policy, accumulations = new Accumulations()): PolicyState {
  return {
    rates: createRateLimits(ruleCount, 0),
    accumulations: {
      findShortage: (charges, now) => accumulations.findShortage(charges, now),
      charge: () => {},
    },
  };
}

/**
 * Explains what a configuration decides on a request, without deciding it: nothing is counted, and rates are full.
 *
 * @param now milliseconds since 1970
 * @param accumulations what was spent; nothing where it is left out
 * @throws RangeError where the transaction is none that a decoder gives
 */
export function explainRequest(
  policy: Policy,
  request: PolicyRequest,
  now: number,
  accumulations?: Accumulations,
): Explained {
  const state = makeProbe(policy, accumulations);
  const time = { now, monotonic: FULL_MS };
  const decided = describeDecision(decide(policy, request, state, time));
  const rules = explain(policy, request, state, time).map(({ rule, effect, matches, reason }) => ({
    rule,
    effect,
    matches,
    condition: reason?.field ?? null,
    words: reason === undefined ? null : describeReason(reason),
  }));
  return { ...decided, rules };
}
