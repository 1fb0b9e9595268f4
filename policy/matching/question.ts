import { BLIND_PAYLOAD_KINDS, type PayloadKind } from '../../shared/algorithms.ts';
import type { PreparedClient } from '../policy.ts';
import type { PolicyRequest } from '../request.ts';
import type { PolicyTime } from '../state.ts';
import type { Transaction } from '../transactions/transaction.ts';
import { type Facts, readFacts } from './facts.ts';

/** One request with all that rules are compared with. */
export interface Question {
  readonly request: PolicyRequest;
  readonly client: PreparedClient;
  readonly time: PolicyTime;
  /** What the transaction does; undefined where there is none yet, or none at all. */
  readonly facts: Facts | undefined;
}

/** Gathers what rules are compared with. @throws RangeError where the transaction is none that a decoder gives */
export function askQuestion(request: PolicyRequest, client: PreparedClient, time: PolicyTime): Question {
  if (request.operation !== 'sign') return { request, client, time, facts: undefined };
  const transaction = transactionOf(request);
  return { request, client, time, facts: transaction && readFacts(request, transaction) };
}

function transactionOf({
  payload,
  transaction,
}: Extract<PolicyRequest, { operation: 'sign' }>): Transaction | undefined {
  if (transaction === undefined) {
    return (BLIND_PAYLOAD_KINDS as readonly PayloadKind[]).includes(payload)
      ? makeUnread(payload)
      : undefined;
  }
  if (transaction.kind !== payload)
    throw new RangeError('the transaction is of another kind than the payload');
  return transaction;
}

/** Makes the transaction of a payload that nobody can read: its one effect says so. */
function makeUnread(kind: PayloadKind): Transaction {
  const nothing = { to: null, asset: null, amount: null, contract: null, selector: null, details: {} };
  return {
    kind,
    network: null,
    source: null,
    effects: [{ type: 'blind', ...nothing }],
    fee: null,
    nonce: null,
    gas: null,
    features: [],
    details: {},
  };
}
