import type { Charge, Shortage } from '../accumulations/index.ts';
import {
  listRules,
  listSigningPermits,
  type Policy,
  type PreparedDenial,
  type PreparedPermit,
} from '../policy.ts';
import { type Mismatch, mismatch, type RuleField } from '../reasons.ts';
import { isKeyOperation, listAlgorithms, type PolicyRequest } from '../request.ts';
import type { PolicyState } from '../state.ts';
import { findMissing, joinMissing, type MissingApprovals, type Requirement } from './consent.ts';
import { deniesTransaction } from './denial.ts';
import { listForDestination } from './destinations.ts';
import { listCharges } from './limits.ts';
import { explainMismatch, findMemberMismatch, findMismatch } from './permit.ts';
import type { Question } from './question.ts';
import { listTierApprovals } from './tiers.ts';
import { isWithin } from './time.ts';

/** A permit that matches in every member, with what is left to do. */
export interface Candidate {
  readonly rule: PreparedPermit;
  readonly charges: readonly Charge[];
  /** Whether consent is needed, be it there or not. */
  readonly needsConsent: boolean;
  readonly missing: readonly MissingApprovals[];
  /** For how long the request may wait for consent. */
  readonly expiresSeconds: number;
}

/** The outcome for one permit: it matches, or a member does not, or it would if a limit had enough left. */
export type Examination =
  | { readonly outcome: 'matches'; readonly candidate: Candidate }
  | { readonly outcome: 'mismatch'; readonly field: RuleField }
  | { readonly outcome: 'shortage'; readonly rule: PreparedPermit; readonly shortage: Shortage };

const missed = (field: RuleField): Examination => ({ outcome: 'mismatch', field });

/** Compares a permit that names the client and the key with a request. Changes nothing that counts. */
export function examinePermit(rule: PreparedPermit, question: Question, state: PolicyState): Examination {
  const field = findScopeMismatch(rule, question);
  return field === undefined ? examineRest(rule, question, state) : missed(field);
}

/** Compares the members of a permit that are not those of {@link findScopeMismatch}. */
function examineRest(rule: PreparedPermit, question: Question, state: PolicyState): Examination {
  const { request, facts, time } = question;
  if (rule.time !== null && isWithin(rule.time, time.now) !== true) return missed('time');
  if (isKeyOperation(request.operation)) return matched(rule, [], listOwn(rule), question);
  if (facts === undefined) return missed('effects');
  const unmatched = findMismatch(rule, facts);
  if (unmatched !== undefined) return missed(unmatched);
  const tiers = listTierApprovals(rule.tiers, facts);
  if (tiers === undefined) return missed('tiers');
  const charges: Charge[] = [];
  for (const limit of rule.limits) {
    const drawn = listCharges(limit, rule.id, facts);
    if (drawn === undefined) return missed('limits');
    charges.push(...drawn);
  }
  const shortage = charges.length === 0 ? undefined : state.accumulations.findShortage(charges, time.now);
  if (shortage !== undefined) return { outcome: 'shortage', rule, shortage };
  return matched(rule, charges, [...listOwn(rule), ...tiers], question);
}

/** Lists the examinations of those of a client's and key's permits that match, or would if a limit had enough left. */
export function examineAll(
  policy: Policy,
  question: Question,
  state: PolicyState,
): Exclude<Examination, { outcome: 'mismatch' }>[] {
  const { request, client, facts } = question;
  const isSigning = request.operation === 'sign' && facts !== undefined;
  const permits = isSigning
    ? listForDestination(listSigningPermits(policy.permits, client, facts), facts.effects[0])
    : listRules(policy.permits, client, request.key);
  const found: Exclude<Examination, { outcome: 'mismatch' }>[] = [];
  for (const rule of permits) {
    // Most rules fail here: nothing else is looked at before.
    if (isSigning && findMemberMismatch(rule, facts) !== undefined) continue;
    const examination = isSigning ? examineRest(rule, question, state) : examinePermit(rule, question, state);
    if (examination.outcome !== 'mismatch') found.push(examination);
  }
  return found;
}

const listOwn = ({ approvals }: PreparedPermit): Requirement[] => (approvals === null ? [] : [approvals]);

function matched(
  rule: PreparedPermit,
  charges: readonly Charge[],
  requirements: readonly Requirement[],
  { request: { consent }, client, time }: Question,
): Examination {
  const approvals = consent?.rule === rule.id ? consent.approvals : [];
  const context = { requester: client.person, now: time.now };
  const missing = joinMissing(requirements.map((each) => findMissing(each, approvals, context)));
  const expiresSeconds = Math.min(...requirements.map((each) => each.expiresSeconds));
  const needsConsent = requirements.length > 0;
  return { outcome: 'matches', candidate: { rule, charges, needsConsent, missing, expiresSeconds } };
}

/** Finds the first member in which a permit is not about the request at all. */
function findScopeMismatch(rule: PreparedPermit, { request }: Question): RuleField | undefined {
  if (!namesAlgorithm(rule, request)) return 'algorithms';
  if (request.operation === 'sign') {
    if (!rule.operations.has('sign')) return 'operations';
    return rule.payloads.has(request.payload) ? undefined : 'payloads';
  }
  // No type allows another operation than those on keys; hostile data might.
  return isKeyOperation(request.operation) && rule.operations.has(request.operation)
    ? undefined
    : 'operations';
}

/** Tells whether a rule names an algorithm of a request. A backup is of the key, whatever signs with it. */
const namesAlgorithm = ({ algorithms }: PreparedPermit | PreparedDenial, request: PolicyRequest): boolean =>
  request.operation === 'backup' || listAlgorithms(request).some((algorithm) => algorithms.has(algorithm));

/** Tells whether a denial that names the client and the key matches a request. */
export function denies(rule: PreparedDenial, { request, time, facts }: Question): boolean {
  if (!namesAlgorithm(rule, request)) return false;
  if (rule.time !== null && isWithin(rule.time, time.now) === false) return false;
  if (request.operation === 'sign')
    return rule.operations.has('sign') && (facts === undefined || deniesTransaction(rule, facts));
  return !isKeyOperation(request.operation) || rule.operations.has(request.operation);
}

/** Says in words why a permit does not permit a request. */
export function explainExamination(rule: PreparedPermit, { facts }: Question, field: RuleField): Mismatch {
  return facts === undefined ? mismatch(rule.id, field) : explainMismatch(rule, facts, field);
}
