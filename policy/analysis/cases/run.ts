import type { Configuration } from '../../../shared/documents/configuration.ts';
import { decide } from '../../decision.ts';
import { type Policy, preparePolicy } from '../../policy.ts';
import { makeRequest, type PolicyRequest } from '../../request.ts';
import { createPolicyState, type PolicyState, type PolicyTime } from '../../state.ts';
import { type Transaction, TransactionError } from '../../transactions/index.ts';
import { type Decided, denied, describeDecision } from '../decided.ts';
import { gatherPublicKeys, isOver, type PublicKeys, readTransaction } from '../reading.ts';
import type { Case, CaseTable } from './table.ts';

/** The longest time that a rate spans, in milliseconds: after it, every bucket is full. */
const FULL_MS = 31 * 86_400_000;

/** What came of one case. */
export interface CaseResult {
  /** From 1. */
  readonly row: number;
  readonly name: string;
  readonly at: string;
  readonly decided: Decided;
  /** Members that differ from what was expected, each with both values; empty where none does. */
  readonly differences: readonly string[];
}

/**
 * Runs a table of cases against a configuration, in order, as one node would see them: what a case spends is spent for
 * those after it. Rates start full, limits unspent.
 *
 * @param given public keys of keys that the configuration does not pin
 * @throws AnalysisError PUBLIC_KEY_UNKNOWN
 */
export function runCases(
  configuration: Configuration,
  { start, keys, cases }: CaseTable,
  given: PublicKeys = new Map(),
): CaseResult[] {
  const policy = preparePolicy(configuration);
  const state = createPolicyState(policy, 0);
  const publicKeys = gatherPublicKeys(configuration, new Map([...given, ...Object.entries(keys)]));
  let now = Date.parse(start);
  let monotonic = FULL_MS;
  return cases.map((each, index) => {
    const before = now;
    now = each.at === undefined ? now + (each.after ?? 0) * 1000 : Date.parse(each.at);
    // A clock that is set back takes nothing from the monotonic one.
    monotonic += Math.max(0, now - before);
    const decided = decideCase(each, { configuration, policy, state, publicKeys, time: { now, monotonic } });
    return {
      row: index + 1,
      name: each.name,
      at: new Date(now).toISOString(),
      decided,
      differences: compare(each.expect, decided),
    };
  });
}

interface Node {
  readonly configuration: Configuration;
  readonly policy: Policy;
  readonly state: PolicyState;
  readonly publicKeys: PublicKeys;
  readonly time: PolicyTime;
}

function decideCase(each: Case, { configuration, policy, state, publicKeys, time }: Node): Decided {
  let transaction: Transaction | undefined;
  const { payload } = each;
  try {
    transaction =
      payload === undefined || each.algorithm === undefined
        ? completeTransaction(each)
        : readTransaction({ ...each, algorithm: each.algorithm, payload }, configuration, publicKeys);
  } catch (error) {
    if (!(error instanceof TransactionError)) throw error;
    return denied(error.code, [error.message]);
  }
  if (isOver(configuration, time.now)) return denied('CONFIGURATION_EXPIRED');
  return describeDecision(decide(policy, toRequest(each, transaction, time.now), state, time));
}

function completeTransaction({ transaction }: Case): Transaction | undefined {
  if (transaction === undefined) return undefined;
  const effects = transaction.effects.map((effect) => ({ ...effect, details: {} }));
  return { ...transaction, effects, details: {} };
}

function toRequest(
  { client, key, poolKey, algorithm, operation, approvals, payload, backup }: Case,
  transaction: Transaction | undefined,
  at: number,
): PolicyRequest {
  const consent = approvals && {
    rule: approvals.rule,
    approvals: [
      ...approvals.by.map((approver) => ({ approver, decision: 'approve' as const, at })),
      ...approvals.rejectedBy.map((approver) => ({ approver, decision: 'reject' as const, at })),
    ],
  };
  return makeRequest({
    operation,
    client,
    key,
    poolKey,
    algorithm: algorithm ?? null,
    backup,
    consent,
    payload: payload?.kind ?? transaction?.kind,
    transaction,
  });
}

function compare(expected: Case['expect'], decided: Decided): string[] {
  const differences: string[] = [];
  const differ = (member: string, wanted: string, found: string | null) =>
    differences.push(`${member}: expected ${wanted}, found ${found ?? 'none'}`);
  const { outcome, rule, code, needs } = expected;
  if (outcome !== decided.outcome) differ('outcome', outcome, decided.outcome);
  if (rule !== undefined && rule !== decided.rule) differ('rule', rule, decided.rule);
  if (code !== undefined && code !== decided.code) differ('code', code, decided.code);
  if (needs !== undefined && describeNeeds(needs) !== describeNeeds(decided.needs)) {
    differ('needs', describeNeeds(needs), describeNeeds(decided.needs));
  }
  return differences;
}

/** Describes missing approvals in a phrase, in an order that does not depend on the rule. */
export function describeNeeds(needs: Readonly<Record<string, number>>): string {
  const parts = Object.entries(needs).map(([group, count]) => `${count} of ${group}`);
  return parts.length === 0 ? 'no approvals' : parts.toSorted().join(' and ');
}
