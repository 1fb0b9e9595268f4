import type { Decision } from '../decision.ts';
import { describeReason } from '../reasons.ts';

/** A decision in the words of people and tables. */
export interface Decided {
  readonly outcome: Decision['outcome'];
  /** The rule that permits, or under which the request waits; null for a denial. */
  readonly rule: string | null;
  /** Why it is denied; null otherwise. */
  readonly code: string | null;
  /** Approvals that are missing: by group, how many. */
  readonly needs: Readonly<Record<string, number>>;
  /** Why rules do not permit it, in sentences. */
  readonly reasons: readonly string[];
}

/** Makes a denial without reasons of rules. */
export const denied = (code: string, reasons: readonly string[] = []): Decided => ({
  outcome: 'denied',
  rule: null,
  code,
  needs: {},
  reasons,
});

/** Puts a decision in words. */
export function describeDecision(decision: Decision): Decided {
  if (decision.outcome === 'denied') return denied(decision.code, decision.reasons.map(describeReason));
  const { outcome, rule } = decision;
  const groups = decision.outcome === 'pending' ? decision.needs.flatMap((need) => need.groups) : [];
  return {
    outcome,
    rule,
    code: null,
    needs: Object.fromEntries(groups.map(({ group, count }) => [group, count])),
    reasons: [],
  };
}
