import {
  Accumulations,
  createPolicyState,
  decide,
  type Decision,
  preparePolicy,
} from '../../policy/index.ts';
import type { PolicyRequest } from '../../policy/request.ts';
import type { Transaction } from '../../policy/transactions/transaction.ts';
import {
  type ConfigurationDocument2,
  readConfiguration,
  type Rule,
} from '../../shared/documents/configuration.ts';
import { makeConfiguration2 } from '../shared/documents/sample-rules.ts';
import { transaction } from './sample-transactions.ts';

/** Noon of a Wednesday. */
export const NOON = Date.UTC(2026, 11, 2, 12);

export const request = (of: Transaction = transaction(), changes: object = {}): PolicyRequest => ({
  operation: 'sign',
  client: 'backend',
  key: 'hot',
  algorithm: 'ecdsa-secp256k1',
  payload: of.kind,
  transaction: of,
  ...changes,
});

/** A node of format 2 with these rules: decides requests at a time, noon at first. */
export function startPolicy(
  rules: Rule[],
  changes: Partial<ConfigurationDocument2> = {},
  accumulations = new Accumulations(),
) {
  const policy = preparePolicy(readConfiguration(makeConfiguration2({ rules, ...changes })));
  const state = createPolicyState(policy, 0, accumulations);
  return (asked: PolicyRequest = request(), now = NOON): Decision =>
    decide(policy, asked, state, { now, monotonic: Math.max(0, now - NOON) });
}

/** The rule that permits or waits, or the code of the refusal. */
export function outcomeOf(decision: Decision): string {
  return decision.outcome === 'denied' ? decision.code : `${decision.outcome} ${decision.rule}`;
}
