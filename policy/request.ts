import type { Algorithm, PayloadKind } from '../shared/algorithms.ts';
import { type Operation, operationSchema } from '../shared/operations.ts';
import type { Approval } from './matching/consent.ts';
import type { Transaction } from './transactions/transaction.ts';

/** Operations on a key, which have no payload: those of a share, and the ceremonies of a quorum. */
export type KeyOperation = Exclude<Operation, 'sign'>;

/** Tells whether an operation is one on a key. */
export function isKeyOperation(operation: string): operation is KeyOperation {
  return operation !== 'sign' && (operationSchema.options as readonly string[]).includes(operation);
}

interface RequestFields {
  readonly client: string;
  readonly key: string;
  readonly algorithm: Algorithm;
  /** The votes on this request, if it has waited for any. */
  readonly consent?: Consent | undefined;
}

/** Verified votes on one request, and the rule that they were asked for: they count for no other. */
export interface Consent {
  readonly rule: string;
  readonly approvals: readonly Approval[];
}

/**
 * A request of a client, as far as rules see it. A share's import is decided with the algorithm that the share will sign
 * with.
 */
export type PolicyRequest =
  | ({
      readonly operation: 'sign';
      readonly payload: PayloadKind;
      /** What the payload says, of the same kind; undefined for a payload that nobody can read. */
      readonly transaction?: Transaction | undefined;
    } & RequestFields)
  | ({ readonly operation: KeyOperation } & RequestFields);
