import {
  type Algorithm,
  ALGORITHMS,
  describeAlgorithm,
  type KeyUsage,
  type PayloadKind,
  type PoolKeyType,
} from '../shared/algorithms.ts';
import { type Operation, operationSchema } from '../shared/operations.ts';
import type { Approval } from './matching/consent.ts';
import type { Transaction } from './transactions/transaction.ts';

/** Operations on a key, which have no payload: those of a share, the ceremonies of a quorum, and those on keys of a pool. */
export type KeyOperation = Exclude<Operation, 'sign'>;

/** Tells whether an operation is one on a key. */
export function isKeyOperation(operation: string): operation is KeyOperation {
  return operation !== 'sign' && (operationSchema.options as readonly string[]).includes(operation);
}

/** What a key of a pool is: rules name the pool in its place. */
export interface PoolKeyKind {
  readonly type: PoolKeyType;
  readonly usage: KeyUsage;
}

/** Whether a backup that a keeper has acknowledged covers a key; `outdated`: its epoch of before. */
export type BackupCoverage = 'kept' | 'outdated' | 'missing';

/** Operations on a key of a pool that use none of its algorithms: rules are compared with all that such a key has. */
export type KeyAdministration = Extract<KeyOperation, 'create-key' | 'administer-key'>;
/** Operations without an algorithm. */
export type PlainOperation = KeyAdministration | 'backup';

/** Tells whether an operation uses no algorithm. */
export function isPlainOperation(operation: string): operation is PlainOperation {
  return operation === 'create-key' || operation === 'administer-key' || operation === 'backup';
}

interface RequestFields {
  readonly client: string;
  /** A key of the configuration, or the pool that has the key. */
  readonly key: string;
  /** Given where `key` is a pool. */
  readonly poolKey?: PoolKeyKind | undefined;
  /** Whether a kept backup covers the key; left out is missing, where the configuration asks for one. */
  readonly backup?: BackupCoverage | undefined;
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
      readonly algorithm: Algorithm;
      readonly payload: PayloadKind;
      /** What the payload says, of the same kind; undefined for a payload that nobody can read. */
      readonly transaction?: Transaction | undefined;
    } & RequestFields)
  | ({
      readonly operation: Exclude<KeyOperation, PlainOperation>;
      readonly algorithm: Algorithm;
    } & RequestFields)
  | ({ readonly operation: PlainOperation; readonly algorithm: null } & RequestFields);

/** Parts of a request, of which its operation says which there are. */
interface RequestParts extends RequestFields {
  readonly operation: Operation;
  /** null where a key of a pool is made or changed, and of a backup. */
  readonly algorithm: Algorithm | null;
  readonly payload?: PayloadKind | undefined;
  readonly transaction?: Transaction | undefined;
}

/** Makes a request of its parts. @throws TypeError where its operation needs a part that is missing */
export function makeRequest({
  operation,
  algorithm,
  payload,
  transaction,
  ...fields
}: RequestParts): PolicyRequest {
  if (isPlainOperation(operation)) return { operation, algorithm: null, ...fields };
  if (algorithm === null) throw new TypeError('expected an algorithm');
  if (operation !== 'sign') return { operation, algorithm, ...fields };
  if (payload === undefined) throw new TypeError('expected a payload to sign');
  return { operation, algorithm, payload, transaction, ...fields };
}

/** Lists the algorithms that rules are compared with: a rule that names one of them is about the request. */
export function listAlgorithms({ algorithm, poolKey }: PolicyRequest): readonly Algorithm[] {
  if (algorithm !== null) return [algorithm];
  return poolKey === undefined ? [] : listAlgorithmsOf(poolKey);
}

/** Lists the algorithms of keys of a type that are made for a usage. */
export function listAlgorithmsOf({ type, usage }: PoolKeyKind): readonly Algorithm[] {
  return ALGORITHMS.filter((algorithm) => {
    const described = describeAlgorithm(algorithm);
    return described.usage === usage && described.keys.includes(type);
  });
}
