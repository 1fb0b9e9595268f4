import {
  type Accumulations,
  createPolicyState,
  decide,
  type Decision,
  describeReason,
  type Need,
  type PolicyRequest,
  preparePolicy,
} from '../../policy/index.ts';
import { InternalError } from '../../shared/errors.ts';
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

/**
 * Prepares the rules of a configuration; their rates start empty.
 *
 * @param accumulations what was spent against limits, which decisions add to
 */
export function createAuthorise(
  configuration: Configuration,
  { now, monotonic }: DecisionClocks,
  accumulations: Accumulations,
): Authorise {
  const policy = preparePolicy(configuration);
  const state = createPolicyState(policy, monotonic(), accumulations);
  return (request, decoded, approved) => {
    const time = { now: now(), monotonic: monotonic() };
    if (hasExpired(configuration, time.now)) {
      return { outcome: 'denied', code: 'CONFIGURATION_EXPIRED', rule: null, reasons: [], needs: [] };
    }
    return describeVerdict(
      decide(policy, toPolicyRequest(request, decoded, approved), state, time),
      time.now,
    );
  };
}

function toPolicyRequest(
  { operation, client, key, algorithm, payload }: PipelineRequest,
  decoded: DecodedPayload | undefined,
  approved: Approved | undefined,
): PolicyRequest {
  const consent = approved && {
    rule: approved.rule,
    approvals: approved.approvals.map(({ approver, decision, time }) => ({ approver, decision, at: time })),
  };
  const common = { client, key, algorithm, consent };
  if (operation !== 'sign') return { operation, ...common };
  if (payload === undefined) throw new InternalError('expected a payload to sign');
  return { operation, ...common, payload: payload.kind, transaction: decoded?.transaction };
}

function describeVerdict(decision: Decision, now: number): Verdict {
  switch (decision.outcome) {
    case 'permitted': {
      const { rule } = decision;
      const charges = decision.charges.map(({ limit, asset, amount }) => ({
        rule,
        limit,
        asset,
        amount: String(amount),
      }));
      return { outcome: 'permitted', rule, charges };
    }
    case 'pending': {
      const [{ groups, expiresSeconds }] = decision.needs;
      return {
        outcome: 'pending',
        rule: decision.rule,
        needs: decision.needs.map(describeNeed),
        groups,
        expires: now + expiresSeconds * 1000,
      };
    }
    case 'denied':
      return {
        outcome: 'denied',
        code: decision.code,
        rule: null,
        reasons: decision.reasons.map((reason) => ({
          rule: reason.rule,
          condition: reason.field,
          words: describeReason(reason),
        })),
        needs: decision.needs.map(describeNeed),
      };
  }
}

function describeNeed(need: Need): DecisionPredicate['needs'][number] {
  const words =
    need.kind === 'time'
      ? `in ${Math.ceil(need.milliseconds / 1000)} s`
      : need.groups.map(({ group, count }) => `${count} of ${group}`).join(' and ');
  return { rule: need.rule, kind: need.kind, words };
}
