import { ALGORITHMS, describeAlgorithm, type KeyUsage } from '../shared/algorithms.ts';
import { isPoolOperation, type Operation } from '../shared/operations.ts';
import type { Charge, Shortage } from './accumulations/index.ts';
import {
  type Candidate,
  denies,
  type Examination,
  examineAll,
  examinePermit,
  explainExamination,
} from './matching/examination.ts';
import type { MissingApprovals } from './matching/consent.ts';
import { askQuestion, type Question } from './matching/question.ts';
import { judgeCoverage } from './matching/recovery.ts';
import { listRules, type Policy, type PreparedPermit, seesPool } from './policy.ts';
import { takeToken, waitForToken } from './rate-limits.ts';
import { describeAmount } from './coins.ts';
import { type Mismatch, mismatch } from './reasons.ts';
import { listAlgorithmsOf, type PolicyRequest } from './request.ts';
import type { PolicyState, PolicyTime } from './state.ts';

export type PolicyRefusal =
  | 'UNKNOWN_CLIENT'
  | 'UNKNOWN_KEY'
  /** The algorithm is not one of the key's type and usage. */
  | 'ALGORITHM_MISMATCH'
  /** The pool holds no keys of this type. */
  | 'KEY_TYPE_REFUSED'
  /** The algorithm does not take this kind of payload. */
  | 'PAYLOAD_MISMATCH'
  /** No rule matches in every field, or the request lacks a field that a rule needs. */
  | 'POLICY_DENIED'
  /** A rule denies the request, whatever others permit. */
  | 'RULE_DENIED'
  /** Rules match, and all of them are used up for now. */
  | 'RATE_LIMITED'
  /** Rules match, and what the request moves is more than a limit of each has left. */
  | 'LIMIT_EXCEEDED'
  /** Rules match, and no more windows can be remembered: {@link MAX_WINDOWS}. */
  | 'LIMITS_FULL'
  /** The key needs a backup that a keeper has acknowledged, has none, and is asked for more than it may sign without. */
  | 'BACKUP_MISSING'
  /** The like, where the backup that is kept is of an epoch or key of before. */
  | 'BACKUP_OUTDATED'
  /** Somebody whose approval the rule asks for has rejected the request. */
  | 'APPROVAL_REJECTED'
  /** The evaluation has failed. */
  | 'POLICY_FAILED';

/** A condition that would turn a denial into a permission. */
export type Need =
  /** The milliseconds until a rule's rate or limit has enough left. */
  { readonly kind: 'time'; readonly rule: string; readonly milliseconds: number } | ApprovalsNeed;

/** The approvals that are still missing under a rule, and for how long the request may wait for them. */
export interface ApprovalsNeed {
  readonly kind: 'approvals';
  readonly rule: string;
  readonly groups: readonly MissingApprovals[];
  readonly expiresSeconds: number;
}

export type Decision =
  /** `charges` are counted already, and have to be sealed before anything leaves the node. */
  | { readonly outcome: 'permitted'; readonly rule: string; readonly charges: readonly Charge[] }
  | { readonly outcome: 'pending'; readonly rule: string; readonly needs: readonly [ApprovalsNeed] }
  | {
      readonly outcome: 'denied';
      readonly code: PolicyRefusal;
      /** At most {@link MAX_REASONS}: the rules that deny; or the client's rules, those of the key first. */
      readonly reasons: readonly Mismatch[];
      /** For `RATE_LIMITED` and `LIMIT_EXCEEDED`, each rule that would permit the request later. */
      readonly needs: readonly Need[];
    };

/** The most rules that a denial explains: a client may have thousands. */
export const MAX_REASONS = 16;

const deny = (
  code: PolicyRefusal,
  { reasons = [], needs = [] }: { reasons?: readonly Mismatch[]; needs?: readonly Need[] } = {},
): Decision => ({ outcome: 'denied', code, reasons, needs });

/**
 * Decides one request. Everything is denied that no rule permits, what a rule denies is denied whatever others permit,
 * and a field that is missing permits nothing, even where the types were circumvented. A permitted request is deducted
 * from `state`, and no other is. No error permits: it is a denial.
 */
export function decide(
  policy: Policy,
  request: PolicyRequest,
  state: PolicyState,
  time: PolicyTime,
): Decision {
  try {
    return decideOrThrow(policy, request, state, time);
  } catch {
    return deny('POLICY_FAILED');
  }
}

function decideOrThrow(
  policy: Policy,
  request: PolicyRequest,
  state: PolicyState,
  time: PolicyTime,
): Decision {
  const client = policy.clients.get(request.client);
  if (client === undefined) return deny('UNKNOWN_CLIENT');
  const code = findUnsuitable(policy, request);
  if (code !== undefined) return deny(code);
  const question = askQuestion(request, client, time);
  const denying = listRules(policy.denials, client, request.key).filter((rule) => denies(rule, question));
  if (denying.length > 0) {
    return deny('RULE_DENIED', {
      reasons: denying.slice(0, MAX_REASONS).map(({ id }) => mismatch(id, 'denied')),
    });
  }
  const permits = listRules(policy.permits, client, request.key);
  const rejected = findRejection(permits, request);
  if (rejected !== undefined) return deny('APPROVAL_REJECTED', { reasons: [rejected] });
  const found = examineAll(policy, question, state);
  const candidates = listCandidates(found);
  if (candidates.length === 0) return denyAll(policy, found, question, state);
  const coverage = judgeCoverage(policy.recovery, question, state);
  if (coverage.outcome === 'uncovered') {
    const { code, reason, milliseconds } = coverage;
    const needs: Need[] =
      milliseconds === null
        ? []
        : candidates.map(({ rule }) => ({ kind: 'time', rule: rule.id, milliseconds }));
    return deny(code, { reasons: [reason], needs });
  }
  const counted = candidates.map((one) => ({ ...one, charges: [...one.charges, ...coverage.charges] }));
  return choose(counted, request, state, time) ?? denyAll(policy, found, question, state);
}

/** Finds why no rule of any configuration could permit a request. */
function findUnsuitable(policy: Policy, request: PolicyRequest): PolicyRefusal | undefined {
  const isPool = policy.pools.has(request.key);
  const code = isPool ? findUnsuitablePool(policy, request) : findUnsuitableKey(policy, request);
  if (code !== undefined || request.operation !== 'sign') return code;
  if (request.payload === undefined) return 'POLICY_DENIED';
  return describeAlgorithm(request.algorithm).payloads.includes(request.payload)
    ? undefined
    : 'PAYLOAD_MISMATCH';
}

function findUnsuitableKey({ keys }: Policy, request: PolicyRequest): PolicyRefusal | undefined {
  const type = keys.get(request.key);
  if (type !== undefined && request.operation === 'backup') return undefined;
  if (type === undefined || request.poolKey !== undefined || isPoolOperation(request.operation))
    return 'UNKNOWN_KEY';
  if (request.algorithm === null || !ALGORITHMS.includes(request.algorithm)) return 'POLICY_DENIED';
  const { keys: types, usage } = describeAlgorithm(request.algorithm);
  return types.includes(type) && usage === 'sign' ? undefined : 'ALGORITHM_MISMATCH';
}

/** What keys are for that an operation of a pool uses; null: it uses none of their algorithms. */
const USAGES: Partial<Record<Operation, KeyUsage | null>> = {
  sign: 'sign',
  encrypt: 'encrypt',
  decrypt: 'encrypt',
  mac: 'mac',
  'derive-secret': 'agree',
  'create-key': null,
  'administer-key': null,
};

function findUnsuitablePool(policy: Policy, request: PolicyRequest): PolicyRefusal | undefined {
  const { client, key, poolKey, operation, algorithm } = request;
  // Who keeps backups need not see the keys: a rule that names the pool is enough.
  if (operation === 'backup') return mayBackUp(policy, client, key) ? undefined : 'UNKNOWN_KEY';
  const wanted = USAGES[operation];
  // Whoever does not see a pool learns nothing of it.
  if (poolKey === undefined || wanted === undefined || !seesPool(policy, client, key)) return 'UNKNOWN_KEY';
  // A key of a type that the pool has no more is served no more.
  if (policy.pools.get(key)?.types.has(poolKey.type) !== true)
    return operation === 'create-key' ? 'KEY_TYPE_REFUSED' : 'UNKNOWN_KEY';
  const algorithms = listAlgorithmsOf(poolKey);
  if (wanted === null) return algorithm === null && algorithms.length > 0 ? undefined : 'ALGORITHM_MISMATCH';
  if (algorithm === null || !ALGORITHMS.includes(algorithm)) return 'POLICY_DENIED';
  return poolKey.usage === wanted && algorithms.includes(algorithm) ? undefined : 'ALGORITHM_MISMATCH';
}

/** Tells whether a permit names a client, a pool and its backup, or the client sees the pool anyway. */
function mayBackUp(policy: Policy, id: string, pool: string): boolean {
  const client = policy.clients.get(id);
  if (client === undefined) return false;
  return (
    seesPool(policy, id, pool) ||
    listRules(policy.permits, client, pool).some(({ operations }) => operations.has('backup'))
  );
}

/**
 * Finds a rejection by somebody whom the rule that the request waits under may ask; by anybody, where that rule is not
 * one of the client and key any more.
 */
function findRejection(permits: readonly PreparedPermit[], { consent }: PolicyRequest): Mismatch | undefined {
  if (consent === undefined) return undefined;
  const asked = permits.find(({ id }) => id === consent.rule)?.asked;
  const rejection = consent.approvals.find(
    ({ approver, decision }) => decision !== 'approve' && (asked === undefined || asked.has(approver)),
  );
  return rejection && mismatch(consent.rule, 'rejected', `${rejection.approver} has rejected the request`);
}

/** Lists the rules that match, those that need no consent first. */
function listCandidates(found: readonly Examination[]): Candidate[] {
  const candidates = found.flatMap((each) => (each.outcome === 'matches' ? [each.candidate] : []));
  return [
    ...candidates.filter(({ needsConsent }) => !needsConsent),
    ...candidates.filter(({ needsConsent }) => needsConsent),
  ];
}

/** Chooses the rule that permits, or whose consent is to be asked for; undefined where there is none. */
function choose(
  candidates: readonly Candidate[],
  request: PolicyRequest,
  state: PolicyState,
  { now, monotonic }: PolicyTime,
): Decision | undefined {
  for (const { rule, charges, missing } of candidates) {
    if (missing.length > 0) continue;
    if (rule.rate !== null && !takeToken(state.rates, rule.index, rule.rate, monotonic)) continue;
    if (charges.length > 0) state.accumulations.charge(charges, now);
    return { outcome: 'permitted', rule: rule.id, charges };
  }
  const waiting = candidates.filter(({ missing }) => missing.length > 0);
  const asked = waiting.find(({ rule }) => rule.id === request.consent?.rule) ?? waiting[0];
  if (asked === undefined) {
    const needs = candidates.map(({ rule }) => waitForRate(rule, state, monotonic));
    return needs.length === 0 ? undefined : deny('RATE_LIMITED', { needs });
  }
  const { rule, missing: groups, expiresSeconds } = asked;
  return {
    outcome: 'pending',
    rule: rule.id,
    needs: [{ kind: 'approvals', rule: rule.id, groups, expiresSeconds }],
  };
}

function waitForRate({ id, index, rate }: PreparedPermit, { rates }: PolicyState, monotonic: number): Need {
  const milliseconds = rate === null ? 0 : waitForToken(rates, index, rate, monotonic);
  return { kind: 'time', rule: id, milliseconds };
}

/** Denies what no rule permits, with the reasons. */
function denyAll(
  policy: Policy,
  found: readonly Examination[],
  question: Question,
  state: PolicyState,
): Decision {
  const shortages = found
    .flatMap((each) => (each.outcome === 'shortage' ? [each] : []))
    .slice(0, MAX_REASONS);
  if (shortages.length > 0) {
    const isFull = shortages.every(({ shortage }) => shortage.kind === 'full');
    return deny(isFull ? 'LIMITS_FULL' : 'LIMIT_EXCEEDED', {
      reasons: shortages.map(({ rule, shortage }) => mismatch(rule.id, 'limits', describeShortage(shortage))),
      needs: shortages.flatMap(({ rule, shortage }) => waitForLimit(rule, shortage)),
    });
  }
  const { client, request } = question;
  const reasons = listRules(policy.permits, client, request.key)
    .slice(0, MAX_REASONS)
    .flatMap((rule) => {
      const examination = examinePermit(rule, question, state);
      return examination.outcome === 'mismatch'
        ? [explainExamination(rule, question, examination.field)]
        : [];
    });
  // Rules of the client for other keys come last: those of a thousand would only hide what is missing.
  for (const rule of policy.permits.all) {
    if (reasons.length >= MAX_REASONS) break;
    const isOfClient = client.names.some((name) => rule.clients.has(name));
    if (isOfClient && !rule.keys.has(request.key)) reasons.push(mismatch(rule.id, 'keys'));
  }
  return deny('POLICY_DENIED', { reasons });
}

function waitForLimit({ id }: PreparedPermit, shortage: Shortage): Need[] {
  if (shortage.kind === 'full' || shortage.milliseconds === null) return [];
  return [{ kind: 'time', rule: id, milliseconds: shortage.milliseconds }];
}

/** Describes a shortage in words. */
export function describeShortage(shortage: Shortage): string {
  const { limit, asset, amount, max, per, seconds } = shortage.charge;
  if (shortage.kind === 'full') return `no more windows can be remembered for limit ${limit}`;
  const total = describeAmount(shortage.spent + amount, asset);
  return `${total} within ${seconds} s per ${per} would be over the ${describeAmount(max, asset)} of limit ${limit}`;
}
