import { hash } from 'node:crypto';
import type { DecisionPredicate, Receipt } from '../../audit/receipt/index.ts';
import { isKeyOperation, type PoolKeyKind } from '../../policy/index.ts';
import { type DecodedPayload, type Signing, TransactionError } from '../../policy/transactions/index.ts';
import { encodeTransaction, type TransactionJson } from '../../policy/transactions/json.ts';
import { type DigestedRequest, encodeRequest } from '../../shared/api/request-digest.ts';
import { errorCode, HoldfastError, InternalError } from '../../shared/errors.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import type { Payload } from '../../shared/api/bodies.ts';
import type { Operation } from '../../shared/operations.ts';
import type { PendingRequests, Vote } from '../approvals/index.ts';
import type { DecisionSubject, QuorumRecord } from '../quorum/signing/index.ts';
import { StoreError } from '../store/index.ts';
import { type Authorise, denyByCode, type Verdict } from './authorisation.ts';
import type { DecisionLog, DecisionParts } from './decision-log.ts';
import { type DenialCode, FailedRequest, PolicyError } from './errors.ts';
import type { ForwardedRequest } from './forwarded-request.ts';
import type { PayloadReader } from './reader.ts';

/** A key of a pool that a client sees, as a request names it; one that is still to be made has no id. */
export interface PoolKeyInRequest extends PoolKeyKind {
  readonly pool: string;
  readonly id: string | null;
}

/** A request of an authenticated client, as it is decided, recorded and acted on. */
export interface PipelineRequest extends DigestedRequest {
  readonly operation: Operation;
  /** The key of a pool that `key` names; found by the node where it is left out. */
  readonly poolKey?: PoolKeyInRequest | undefined;
}

/** A request that has waited, and the votes on it. */
export interface Approved {
  readonly id: string;
  readonly rule: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly approvals: readonly Vote[];
}

/** How a request is acted on, and what is recorded of the result. */
export interface Action<Result> {
  /** Acts on the request; there is nothing to sign where the operation has no payload. */
  readonly act: (subject: DecisionSubject) => Result | Promise<Result>;
  readonly signaturesOf?: (result: Result) => DecisionPredicate['signatures'];
  /**
   * Called while the entry is made, before anything leaves: state that it changes is sealed in the same commit. A coded
   * error that it throws is what the request ends with.
   */
  readonly onEntry?: (result: Result, rule: string) => void;
  /** The quorum that has decided and signed, asked for when the entry is made. */
  readonly quorum?: () => QuorumRecord | undefined;
  /** The key of a pool that was made. */
  readonly madeKey?: (result: Result) => string;
  /** The backup that was made or acknowledged. */
  readonly backup?: (result: Result) => DecisionPredicate['backup'];
  /** Receipts of the other nodes of that quorum. */
  readonly receipts?: () => readonly Receipt[];
}

/** The result of a permitted request, the rule that permitted it, and the receipt. */
export interface CarriedOut<Result> {
  readonly outcome: 'permitted';
  readonly result: Result;
  readonly rule: string;
  readonly receipt: Receipt;
  /** Receipts of the other nodes of the quorum that have signed together with this one. */
  readonly receipts: readonly Receipt[];
}

/** A request that waits for approvals. */
export interface Waiting {
  readonly outcome: 'pending';
  readonly id: string;
  readonly rule: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
  readonly receipt: Receipt;
}

export interface CarryOutParts {
  readonly read: PayloadReader['read'];
  /** Finds the key of a pool that a client sees by the id that its request names; left out: there are no pools. */
  readonly findPoolKey?: (client: string, key: string) => PoolKeyInRequest | undefined;
  readonly authorise: Authorise;
  /** Tells whether the configuration in force has expired: then nothing is released any more. */
  readonly isExpired: () => boolean;
  readonly log: DecisionLog;
  readonly requests: Pick<PendingRequests, 'create' | 'findOwn'>;
}

/** Decides a request, acts on it, records the outcome, and only then returns. */
export interface CarryOut {
  /** Carries a request out now; where approvals are missing it is denied, because it cannot wait here. */
  now<Result>(
    request: PipelineRequest,
    action: Action<Result>,
    approved?: Approved,
  ): Promise<CarriedOut<Result>>;
  /**
   * Carries a request out now, or keeps it until it is approved; `signed` is what other nodes will verify then.
   */
  orKeep<Result>(
    request: PipelineRequest & { readonly payload: Payload; readonly algorithm: Algorithm },
    action: Action<Result>,
    signed?: ForwardedRequest,
  ): Promise<CarriedOut<Result> | Waiting>;
  /** Carries out a request that has waited; it waits on where approvals are missing. */
  approved<Result>(
    request: PipelineRequest,
    action: Action<Result>,
    approved: Approved,
  ): Promise<CarriedOut<Result> | Waiting>;
  /** Records that the signatures of a request which was carried out leave again. */
  again(
    request: PipelineRequest,
    rule: string,
    signatures: DecisionPredicate['signatures'],
    approved: Approved,
  ): Promise<Receipt>;
  /** Acts once more on a request that was permitted, and records it; nothing is charged again. */
  repeat<Result>(
    request: PipelineRequest,
    rule: string,
    action: Action<Result>,
    approved?: Approved,
  ): Promise<CarriedOut<Result>>;
  /** Records that a request is denied before any rule is asked. @throws PolicyError */
  deny(
    request: PipelineRequest,
    denial: { readonly code: DenialCode; readonly cause?: unknown },
    action: Pick<Action<unknown>, 'quorum'>,
  ): Promise<never>;
}

/** A request that was read and decided, and not yet acted on. */
interface Decided {
  readonly digest: Uint8Array;
  readonly signings: readonly Signing[];
  readonly parts: DecisionParts;
}

const NO_SIGNINGS: readonly Signing[] = [];

/** Creates the one way from a request to a key and back. */
export function createCarryOut(parts: CarryOutParts): CarryOut {
  const { read, findPoolKey, authorise, isExpired, log, requests } = parts;
  const locate = (request: PipelineRequest): PipelineRequest =>
    request.poolKey === undefined
      ? { ...request, poolKey: findPoolKey?.(request.client, request.key) }
      : request;

  /** Reads and decides. @throws PolicyError after the denial was recorded */
  async function decideOn(
    asked: PipelineRequest,
    { quorum }: Pick<Action<unknown>, 'quorum'>,
    approved?: Approved,
  ) {
    const request = locate(asked);
    const digest = digestRequest(request);
    const { decoded, transaction, error } = readPayload(read, request);
    const verdict = error === undefined ? authorise(request, decoded, approved) : denyByCode(error.code);
    const parts = describeDecision(request, transaction, verdict, approved);
    const decided: Decided = { digest, signings: decoded?.signings ?? NO_SIGNINGS, parts };
    if (verdict.outcome !== 'denied') return { verdict, decided };
    return await refuse({ ...decided, parts: withQuorum(parts, quorum) }, verdict.code, error);
  }

  async function refuse({ digest, parts }: Decided, code: DenialCode, cause?: unknown): Promise<never> {
    const receipt = await log.recordDecision(digest, parts);
    throw new PolicyError(code, 'nothing permits this request', receipt, cause);
  }

  async function act<Result>(
    { digest, signings, parts }: Decided,
    rule: string,
    { act, signaturesOf, onEntry, madeKey, backup, quorum, receipts }: Action<Result>,
  ): Promise<CarriedOut<Result>> {
    const recordFailure = (failure: string) =>
      log.recordDecision(digest, withQuorum({ ...parts, failure }, quorum));
    const attempted = { rule, recordFailure };
    const result = await attempt(() => act({ digest, transaction: parts.transaction, signings }), attempted);
    const signatures = signaturesOf?.(result) ?? [];
    const made = madeKey?.(result);
    const { poolKey } = parts.request;
    const request =
      made === undefined || poolKey === undefined
        ? parts.request
        : { ...parts.request, poolKey: { ...poolKey, id: made } };
    const copy = backup?.(result);
    const recorded = withQuorum({ ...parts, request, signatures, ...(copy && { backup: copy }) }, quorum);
    const late: { refusal?: HoldfastError } = {};
    const receipt = await log
      .recordDecision(digest, recorded, () => {
        try {
          onEntry?.(result, rule);
        } catch (error) {
          if (error instanceof HoldfastError) late.refusal = error;
          throw error;
        }
      })
      .catch(async (error: unknown) => {
        // What was permitted has become impossible while it was carried out: nothing of it is recorded yet.
        if (late.refusal !== error || late.refusal === undefined) throw error;
        return await attempt<never>(() => Promise.reject(error), attempted);
      });
    return { outcome: 'permitted', result, rule, receipt, receipts: receipts?.() ?? [] };
  }

  /** Records that a request waits. */
  async function wait(
    { digest, parts }: Decided,
    rule: string,
    id: string,
    expires: number,
  ): Promise<Waiting> {
    const receipt = await log.recordDecision(digest, { ...parts, pendingId: id });
    return { outcome: 'pending', id, rule, expires, receipt };
  }

  return {
    now: async (request, action, approved) => {
      const { verdict, decided } = await decideOn(request, action, approved);
      if (verdict.outcome === 'permitted') return await act(decided, verdict.rule, action);
      const reasons = [
        {
          rule: verdict.rule,
          condition: 'approvals',
          words: 'approvals are missing, and the request cannot wait for them',
        },
      ];
      // What is signed can wait, at the node that the client asks.
      const code: DenialCode = isKeyOperation(request.operation) ? 'APPROVALS_NOT_AWAITED' : 'POLICY_DENIED';
      const parts: DecisionParts = { ...decided.parts, outcome: 'denied', code, reasons };
      return await refuse({ ...decided, parts: withQuorum(parts, action.quorum) }, code);
    },
    orKeep: async (request, action, signed) => {
      const { verdict, decided } = await decideOn(request, action);
      const { rule } = verdict;
      if (verdict.outcome === 'permitted') return await act(decided, rule, action);
      const { client, key, algorithm, payload, path } = request;
      const id = requests.create({
        client,
        request: { key, algorithm, payload, ...(path !== undefined && { path }) },
        digest: Buffer.from(decided.digest).toString('hex'),
        rule,
        needs: [...verdict.groups],
        expires: verdict.expires,
        signed,
      });
      // The same request may have waited already, and ends when it ended.
      return await wait(decided, rule, id, requests.findOwn(client, id).request.expires);
    },
    approved: async (request, action, approved) => {
      const { verdict, decided } = await decideOn(request, action, approved);
      if (verdict.outcome === 'permitted') return await act(decided, verdict.rule, action);
      return await wait(decided, verdict.rule, approved.id, approved.expires);
    },
    again: async (asked, rule, signatures, approved) => {
      const request = locate(asked);
      const { transaction } = readPayload(read, request);
      const digest = digestRequest(request);
      const describe = (verdict: Verdict) => describeDecision(request, transaction, verdict, approved);
      if (isExpired()) {
        const parts = describe(denyByCode('CONFIGURATION_EXPIRED'));
        return await refuse({ digest, signings: [], parts }, 'CONFIGURATION_EXPIRED');
      }
      const parts = describe({ outcome: 'permitted', rule, charges: [] });
      return await log.recordDecision(digest, { ...parts, signatures });
    },
    repeat: async (asked, rule, action, approved) => {
      const request = locate(asked);
      const digest = digestRequest(request);
      const { decoded, transaction } = readPayload(read, request);
      const verdict: Verdict = isExpired()
        ? denyByCode('CONFIGURATION_EXPIRED')
        : { outcome: 'permitted', rule, charges: [] };
      const parts = describeDecision(request, transaction, verdict, approved);
      const decided: Decided = { digest, signings: decoded?.signings ?? NO_SIGNINGS, parts };
      if (verdict.outcome === 'permitted') return await act(decided, rule, action);
      return await refuse({ ...decided, parts: withQuorum(parts, action.quorum) }, 'CONFIGURATION_EXPIRED');
    },
    deny: async (asked, { code, cause }, { quorum }) => {
      const request = locate(asked);
      const digest = digestRequest(request);
      const { transaction } = readPayload(read, request);
      const parts = describeDecision(request, transaction, denyByCode(code), undefined);
      return await refuse({ digest, signings: NO_SIGNINGS, parts: withQuorum(parts, quorum) }, code, cause);
    },
  };
}

/** Adds the quorum of a decision that is not the node's alone. */
function withQuorum(parts: DecisionParts, quorum: Action<unknown>['quorum']): DecisionParts {
  const record = quorum?.();
  return record === undefined ? parts : { ...parts, quorum: record };
}

/** Computes what digestRequest does, by Node's OpenSSL. */
function digestRequest(request: PipelineRequest): Uint8Array {
  return hash('sha256', encodeRequest(request), 'buffer');
}

/** A payload that was read, or why it was not; an operation without a payload has neither. */
interface Reading {
  readonly decoded: DecodedPayload | undefined;
  /** The decoded transaction as the log has it. */
  readonly transaction?: TransactionJson;
  readonly error?: TransactionError;
}

function readPayload(
  read: PayloadReader['read'],
  { key, algorithm, payload, path, poolKey }: PipelineRequest,
): Reading {
  if (payload === undefined) return { decoded: undefined };
  if (algorithm === null) throw new InternalError('expected an algorithm to sign with');
  try {
    const decoded = read({ key, algorithm, payload, path, poolKey });
    return decoded === undefined ? { decoded } : { decoded, transaction: describeTransaction(decoded) };
  } catch (error) {
    if (error instanceof TransactionError) return { decoded: undefined, error };
    throw error;
  }
}

/** The largest decoded form of a transaction in bytes: an entry has room for what was decided beside it. */
const MAX_TRANSACTION_JSON_BYTES = 49_152;

/**
 * Describes a transaction as the log has it. What the log has no room for is not signed.
 *
 * @throws TransactionError TRANSACTION_TOO_LARGE
 */
function describeTransaction({ transaction }: DecodedPayload): TransactionJson {
  const json = encodeTransaction(transaction);
  const actual = Buffer.byteLength(JSON.stringify(json));
  if (actual <= MAX_TRANSACTION_JSON_BYTES) return json;
  throw new TransactionError('TRANSACTION_TOO_LARGE', 'the log has no room for what the transaction does', {
    actual,
    maximum: MAX_TRANSACTION_JSON_BYTES,
  });
}

/** Acts on a permitted request; a failure is recorded before anybody learns of it. @throws FailedRequest */
async function attempt<Result>(
  act: () => Result | Promise<Result>,
  {
    rule,
    recordFailure,
  }: { readonly rule: string; readonly recordFailure: (code: string) => Promise<Receipt> },
): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    // After a store error nothing can be recorded, and the node stops.
    if (error instanceof StoreError && error.code !== 'STORE_FULL') throw error;
    const code = errorCode(error);
    const receipt = await recordFailure(code);
    throw new FailedRequest(
      code,
      'the request was permitted and could not be carried out',
      { rule, receipt },
      error,
    );
  }
}

/** Describes a decision as the log has it, before it was acted on. */
function describeDecision(
  { client, key, algorithm, operation, payload, path, poolKey }: PipelineRequest,
  transaction: TransactionJson | undefined,
  verdict: Verdict,
  approved: Approved | undefined,
): DecisionParts {
  const isDenied = verdict.outcome === 'denied';
  // Votes count for the rule that asked for them alone: another one that permits does so without them.
  const isAsked = isDenied || verdict.rule === approved?.rule;
  return {
    request: {
      client,
      key: poolKey?.pool ?? key,
      ...(poolKey && { poolKey: { id: poolKey.id, type: poolKey.type, usage: poolKey.usage } }),
      algorithm,
      operation,
      payload: payload?.kind ?? null,
      ...(path !== undefined && { path }),
    },
    transaction: transaction ?? null,
    outcome: verdict.outcome,
    code: isDenied ? verdict.code : null,
    rule: verdict.rule,
    reasons: isDenied ? [...verdict.reasons] : [],
    needs: verdict.outcome === 'permitted' ? [] : [...verdict.needs],
    pendingId: approved?.id ?? null,
    approvals: ((isAsked ? approved?.approvals : undefined) ?? []).map(
      ({ approver, decision, statement, proof }) => ({
        approver,
        decision,
        statement,
        proof,
      }),
    ),
    charges: verdict.outcome === 'permitted' ? [...verdict.charges] : [],
    failure: null,
    signatures: [],
  };
}
