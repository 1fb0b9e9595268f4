import { callerContext, type Representative } from './callers.ts';
import { spend, weigh, type Budget } from './budget.ts';
import { collectCandidates, variableOf, type Attestation, type Candidates } from './candidates.ts';
import { matchCondition, type Condition } from './condition.ts';
import type { KeyPolicy, KeyPolicyStatement } from './document.ts';
import { evaluateKeyPolicy, speaksOf, type KeyRequest } from './evaluate.ts';
import type { RequestContext } from './pattern.ts';

/** A request that a policy allows, found by looking for one. */
export interface Witness {
  readonly action: string;
  readonly who: Representative;
  readonly attestation: Attestation;
  /** The condition keys that matter, lower-case; `pcr0` stands for `imagesha384` too. */
  readonly assignment: Assignment;
  /** The statement that allows it. */
  readonly statement: KeyPolicyStatement;
}

export interface Question {
  readonly action: string;
  readonly who: Representative;
  readonly attestation: Attestation;
  readonly keyArn: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Narrows what the values of a key may be; by {@link variableOf}. */
  readonly only?: ReadonlyMap<string, (values: readonly string[]) => boolean>;
  /** Values to try beside those that the policy names. */
  readonly also?: ReadonlyMap<string, readonly string[]>;
  readonly budget: Budget;
  /** The request must not be allowed by this policy. */
  readonly deniedBy?: KeyPolicy;
}

/** Every condition holds, or at least one does not. */
interface Goal {
  readonly conditions: readonly Condition[];
  readonly hold: boolean;
  readonly variables: boolean;
}

type Domains = ReadonlyMap<string, Candidates>;

type Assignment = ReadonlyMap<string, readonly string[]>;
type Accept = (assignment: Assignment) => boolean;

interface SearchScope {
  readonly fixed: RequestContext;
  readonly budget: Budget;
}

/**
 * Looks for requests that a policy allows, one for each statement that allows any. Values are chosen by whoever
 * asks, except for what their identity fixes: the question is whether there is a way, not whether it is likely.
 * Callers have whatever IAM policies they like.
 *
 * A condition looks at one key, so an allowed request is a choice of values under which all conditions of one Allow
 * hold and each Deny has one that does not; found by trying, for each Deny, which one.
 */
export function* findAllowed(policy: KeyPolicy, question: Question): Generator<Witness> {
  const { who, action, attestation } = question;
  const fixed = callerContext(who.caller);
  spend(question.budget, weigh(policy) + (question.deniedBy === undefined ? 0 : weigh(question.deniedBy)));
  for (const statement of policy.statements) {
    if (statement.effect !== 'Allow' || !speaksOf(policy, statement, probe(question, fixed))) continue;
    const goals = [goal(policy, statement, true), ...denyGoals(policy, question, fixed)];
    for (const refused of refusals(question, fixed)) {
      const all = [...goals, ...refused];
      const domains = startDomains(all, question, fixed);
      const found = solve(domains, all, { fixed, budget: question.budget }, (assignment) =>
        confirms(policy, question, statement, fixed, assignment),
      );
      if (found === undefined) continue;
      yield { action, who, attestation, assignment: found, statement };
      break;
    }
  }
}

function goal(policy: KeyPolicy, statement: KeyPolicyStatement, hold: boolean): Goal {
  return { conditions: statement.conditions, hold, variables: policy.version === '2012-10-17' };
}

function denyGoals(policy: KeyPolicy, question: Question, fixed: RequestContext): Goal[] {
  return policy.statements
    .filter((statement) => statement.effect === 'Deny' && speaksOf(policy, statement, probe(question, fixed)))
    .map((statement) => goal(policy, statement, false));
}

/** The ways in which the other policy can refuse: by one of its Denies, or by no Allow. */
function refusals(question: Question, fixed: RequestContext): Goal[][] {
  const { deniedBy } = question;
  if (deniedBy === undefined) return [[]];
  const speaking = deniedBy.statements.filter((statement) =>
    speaksOf(deniedBy, statement, probe(question, fixed)),
  );
  const denies = speaking.filter(({ effect }) => effect === 'Deny').map((one) => [goal(deniedBy, one, true)]);
  const allows = speaking.filter(({ effect }) => effect === 'Allow').map((one) => goal(deniedBy, one, false));
  return [allows, ...denies];
}

function startDomains(goals: readonly Goal[], question: Question, fixed: RequestContext): Domains {
  const conditions = goals.flatMap((one) => one.conditions);
  const candidates = collectCandidates(conditions, { ...question, fixed });
  return new Map(
    [...candidates].map(([key, values]) => {
      const also = (question.also?.get(key) ?? []).map((value) => [value]);
      const only = question.only?.get(key);
      const all = fixed.has(key) ? values : [...values, ...also];
      return [key, only === undefined ? all : all.filter(only)];
    }),
  );
}

/** All that has to hold narrows the values down; each of the others is a choice. */
function solve(
  domains: Domains,
  goals: readonly Goal[],
  scope: SearchScope,
  accept: Accept,
): Assignment | undefined {
  let narrowed: Domains | undefined = domains;
  for (const goal of goals.filter(({ hold }) => hold)) {
    for (const condition of goal.conditions) {
      narrowed = narrowed && narrow(narrowed, condition, goal, scope, true);
    }
  }
  const choices = goals.filter(({ hold }) => !hold);
  return narrowed && choose(narrowed, choices, scope, accept);
}

/** Makes the choice with the fewest ways first: none at all ends the search, and one is no choice. */
function choose(
  domains: Domains,
  goals: readonly Goal[],
  scope: SearchScope,
  accept: Accept,
): Assignment | undefined {
  const open = goals.flatMap((goal) => {
    const ways = goal.conditions.flatMap((condition) => narrow(domains, condition, goal, scope, false) ?? []);
    // Nothing had to be given up for it, whatever is chosen later.
    return ways.includes(domains) ? [] : [{ goal, ways }];
  });
  if (open.length === 0) return firstAccepted(domains, accept);
  const next = open.reduce((best, one) => (one.ways.length < best.ways.length ? one : best));
  const rest = open.filter((one) => one !== next).map(({ goal }) => goal);
  for (const way of next.ways) {
    const found = choose(way, rest, scope, accept);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The same domains when nothing falls away, undefined when nothing is left. */
function narrow(
  domains: Domains,
  condition: Condition,
  { variables }: Goal,
  { fixed, budget }: SearchScope,
  holds: boolean,
): Domains | undefined {
  const key = variableOf(condition.key);
  const domain = domains.get(key) ?? [];
  spend(budget, costOf(condition, domain) + domains.size);
  const left = domain.filter((values) => {
    const context = new Map([...fixed, [condition.key.toLowerCase(), values]]);
    return matchCondition(condition, { context, variables }) === holds;
  });
  if (left.length === domain.length && left.length > 0) return domains;
  return left.length === 0 ? undefined : new Map([...domains, [key, left]]);
}

/** Wildcards are matched in the product of the lengths, all else at once. */
function costOf({ operator, values }: Condition, domain: Candidates): number {
  const length = (list: readonly string[]): number => list.reduce((sum, one) => sum + one.length, 0);
  const candidates = domain.reduce((sum, one) => sum + length(one), 0);
  const matched = operator.comparison === 'StringLike' || operator.comparison === 'ArnLike';
  return 1 + domain.length * values.length + (matched ? (candidates * length(values)) / 64 : 0);
}

const MAX_COMBINATIONS = 512;

/** What is left of the domains fits the goals in any combination; only keys that depend on each other are tried. */
function firstAccepted(domains: Domains, accept: Accept): Assignment | undefined {
  const linked = [...domains].filter(([key]) => key.startsWith('kms:encryptioncontext'));
  const base = new Map([...domains].map(([key, values]) => [key, values[0] ?? []]));
  const total = linked.reduce((product, [, values]) => product * values.length, 1);
  for (let number = 0; number < Math.min(total, MAX_COMBINATIONS); number += 1) {
    let rest = number;
    const assignment = new Map(base);
    for (const [key, values] of linked) {
      assignment.set(key, values[rest % values.length] ?? []);
      rest = Math.floor(rest / values.length);
    }
    if (accept(assignment)) return assignment;
  }
  return undefined;
}

/** The answer stands only if the policy as a whole really gives it. */
function confirms(
  policy: KeyPolicy,
  question: Question,
  statement: KeyPolicyStatement,
  fixed: RequestContext,
  assignment: Assignment,
): boolean {
  if (!isCoherent(assignment)) return false;
  spend(question.budget, weigh(policy));
  const request = probe(question, toContext(fixed, assignment));
  const alone = {
    ...policy,
    statements: policy.statements.filter((one) => one === statement || one.effect === 'Deny'),
  };
  if (evaluateKeyPolicy(alone, request).decision === 'deny') return false;
  return question.deniedBy === undefined || evaluateKeyPolicy(question.deniedBy, request).decision === 'deny';
}

/** The names of an encryption context and its pairs tell of the same thing. */
function isCoherent(assignment: Assignment): boolean {
  const names = assignment.get('kms:encryptioncontextkeys')?.map((name) => name.toLowerCase());
  if (names === undefined) return true;
  const prefix = 'kms:encryptioncontext:';
  return [...assignment].every(
    ([key, values]) =>
      !key.startsWith(prefix) || names.includes(key.slice(prefix.length)) === values.length > 0,
  );
}

function probe({ action, who, keyArn }: Question, context: RequestContext): KeyRequest {
  return { action, caller: who.caller, keyArn, context, identity: 'allow', lenientNotPrincipal: true };
}

function toContext(fixed: RequestContext, assignment: Assignment): Map<string, readonly string[]> {
  const context = new Map([...fixed, ...assignment]);
  const pcr0 = assignment.get('kms:recipientattestation:pcr0');
  if (pcr0 !== undefined) context.set('kms:recipientattestation:imagesha384', pcr0);
  for (const [key, values] of context) if (values.length === 0) context.delete(key);
  return context;
}
