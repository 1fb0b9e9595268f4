import { type Explained, explainRequest } from '../../policy/analysis/explained.ts';
import { type Accumulations, type BackupCoverage, type Policy } from '../../policy/index.ts';
import { encodeTransaction, type TransactionJson } from '../../policy/transactions/json.ts';
import type { SignRequest } from '../../shared/api/bodies.ts';
import type { CarryOutParts, PoolKeyInRequest } from './carry-out.ts';
import type { PayloadReader } from './reader.ts';

/** What the configuration in force would decide, and what each rule says. */
export interface Explanation extends Explained {
  /** The transaction as the node reads it; null for a payload that cannot be read without a key that it does not hold. */
  readonly transaction: TransactionJson | null;
}

export interface ExplainParts {
  readonly reader: PayloadReader;
  readonly policy: Policy;
  readonly accumulations: Accumulations;
  readonly findPoolKey?: CarryOutParts['findPoolKey'];
  /** Tells whether a kept backup covers the key of a request. */
  readonly coverageOf: (request: {
    readonly key: string;
    readonly poolKey?: PoolKeyInRequest | undefined;
  }) => BackupCoverage | undefined;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/**
 * Creates the dry run of a request to sign: it is read and decided, with what was spent against limits and with full
 * rates. Nothing is signed, counted, kept or recorded.
 */
export function createExplain({ reader, policy, accumulations, findPoolKey, coverageOf, now }: ExplainParts) {
  return (client: string, { key, algorithm, payload, path }: SignRequest): Explanation => {
    const poolKey = findPoolKey?.(client, key);
    const transaction = reader.read({ key, algorithm, payload, path, poolKey })?.transaction;
    const request = {
      operation: 'sign',
      client,
      key: poolKey?.pool ?? key,
      poolKey: poolKey && { type: poolKey.type, usage: poolKey.usage },
      algorithm,
      backup: coverageOf({ key, poolKey }),
      payload: payload.kind,
      transaction,
    } as const;
    const explained = explainRequest(policy, request, now(), accumulations);
    return {
      ...explained,
      transaction: transaction === undefined ? null : encodeTransaction(transaction),
    };
  };
}
