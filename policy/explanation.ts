import { ALGORITHMS } from '../shared/algorithms.ts';
import { describeShortage } from './decision.ts';
import type { MissingApprovals } from './matching/consent.ts';
import { denies, examinePermit, explainExamination } from './matching/examination.ts';
import { askQuestion, type Question } from './matching/question.ts';
import type { Policy, PreparedPermit } from './policy.ts';
import { type Mismatch, mismatch } from './reasons.ts';
import { listAlgorithms, type PolicyRequest } from './request.ts';
import type { PolicyState, PolicyTime } from './state.ts';

/** What one rule says to a request. */
export interface RuleExplanation {
  readonly rule: string;
  readonly effect: 'permit' | 'deny';
  /** Whether the rule matches: it denies, or permits once the approvals are there. Rates are not looked at. */
  readonly matches: boolean;
  /** The first member that does not match; undefined where all do, and for denials. */
  readonly reason: Mismatch | undefined;
  /** Approvals that a permit that matches still needs. */
  readonly missing: readonly MissingApprovals[];
}

/**
 * Explains what each rule of a configuration says to a request, denials first, without deciding or counting anything. An
 * empty list where no rule could be asked: the client or the algorithm is not known.
 *
 * @throws RangeError where the transaction is none that a decoder gives
 */
export function explain(
  policy: Policy,
  request: PolicyRequest,
  state: PolicyState,
  time: PolicyTime,
): RuleExplanation[] {
  const client = policy.clients.get(request.client);
  const algorithms = listAlgorithms(request);
  if (client === undefined || !algorithms.some((algorithm) => ALGORITHMS.includes(algorithm))) return [];
  const question = askQuestion(request, client, time);
  const isOf = (rule: { clients: ReadonlySet<string>; keys: ReadonlySet<string> }) =>
    client.names.some((name) => rule.clients.has(name)) && rule.keys.has(request.key);
  return [
    ...policy.denials.all.map((rule) => ({
      rule: rule.id,
      effect: 'deny' as const,
      matches: isOf(rule) && denies(rule, question),
      reason: undefined,
      missing: [],
    })),
    ...policy.permits.all.map((rule) => explainPermit(rule, question, state)),
  ];
}

function explainPermit(rule: PreparedPermit, question: Question, state: PolicyState): RuleExplanation {
  const no = (reason: Mismatch) => ({
    rule: rule.id,
    effect: 'permit' as const,
    matches: false,
    reason,
    missing: [],
  });
  if (!question.client.names.some((name) => rule.clients.has(name))) return no(mismatch(rule.id, 'clients'));
  if (!rule.keys.has(question.request.key)) return no(mismatch(rule.id, 'keys'));
  const examination = examinePermit(rule, question, state);
  if (examination.outcome === 'mismatch') return no(explainExamination(rule, question, examination.field));
  if (examination.outcome === 'shortage') {
    return no(mismatch(rule.id, 'limits', describeShortage(examination.shortage)));
  }
  const { missing } = examination.candidate;
  return { rule: rule.id, effect: 'permit', matches: true, reason: undefined, missing };
}
