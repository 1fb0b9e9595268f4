import {
  createRateLimits,
  decide,
  type Decision,
  type PolicyRequest,
  preparePolicy,
} from '../../policy/index.ts';
import type { DecisionPredicate } from '../../audit/receipt/index.ts';
import type { DecodedPayload } from '../../policy/transactions/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { hasExpired } from '../node/configuration.ts';
import type { Approved, PipelineRequest } from './carry-out.ts';
import type { DenialCode } from './errors.ts';

/** The clocks that a decision needs. */
export interface DecisionClocks {
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
  /** Milliseconds of a monotonic clock, for rates. */
  readonly monotonic: () => number;
}

/** What the configuration in force says to a request, in the words of the log. */
export type Verdict =
  | { readonly outcome: 'permitted'; readonly rule: string; readonly charges: DecisionPredicate['charges'] }
  | {
      readonly outcome: 'pending';
      readonly rule: string;
      readonly needs: DecisionPredicate['needs'];
      /** `count` people of each group, all of them distinct. */
      readonly groups: readonly { readonly group: string; readonly count: number }[];
      /** End of the time for approvals, in milliseconds since 1970. */
      readonly expires: number;
    }
  | {
      readonly outcome: 'denied';
      readonly code: DenialCode;
      readonly rule: string | null;
      readonly reasons: DecisionPredicate['reasons'];
      readonly needs: DecisionPredicate['needs'];
    };

/** Decides one request by the configuration in force. */
export type Authorise = (
  request: PipelineRequest,
  decoded: DecodedPayload | undefined,
  approved: Approved | undefined,
) => Verdict;

/** Prepares the rules of a configuration; their rates start empty. */
export function createAuthorise(configuration: Configuration, { now, monotonic }: DecisionClocks): Authorise {
  const policy = preparePolicy(configuration);
  const limits = createRateLimits(policy.ruleCount, monotonic());
  return ({ operation, client, key, algorithm, payload }) => {
    if (hasExpired(configuration, now())) {
      return { outcome: 'denied', code: 'CONFIGURATION_EXPIRED', rule: null, reasons: [], needs: [] };
    }
    const request = { operation, client, key, algorithm, payload: payload?.kind } as PolicyRequest;
    return describeVerdict(decide(policy, request, limits, monotonic()));
  };
}

function describeVerdict(decision: Decision): Verdict {
  if (decision.outcome === 'permitted') return { outcome: 'permitted', rule: decision.rule, charges: [] };
  return {
    outcome: 'denied',
    code: decision.code,
    rule: null,
    reasons: decision.reasons.map(({ rule, field }) => ({ rule, condition: field, words: field })),
    needs: decision.needs.map(({ rule, kind, milliseconds }) => ({
      rule,
      kind,
      words: `${milliseconds} ms`,
    })),
  };
}
