import { spend, weigh, type Budget } from './budget.ts';
import { representCallers, placeOf, type Representative } from './callers.ts';
import type { Condition } from './condition.ts';
import type { KeyPolicy, KeyPolicyStatement } from './document.ts';
import { narrowDomain, openDomain, restrictDomain, type Domain } from './domain.ts';
import { evaluateKeyPolicy, speaksOf, type KeyRequest } from './evaluate.ts';
import {
  ANY_VALUE,
  openKeySpace,
  variableOf,
  type Asked,
  type Attestation,
  type KeySpace,
} from './key-space.ts';
import { settle, type Assignment } from './settle.ts';
import { demandOf, type Literal } from './verdict.ts';

/** A request that a policy allows, or that the analysis cannot show the policy to deny. */
export interface Witness {
  readonly action: string;
  readonly who: Representative;
  readonly attestation: Attestation;
  /** The condition keys that matter, lower-case; `pcr0` stands for `imagesha384` too. */
  readonly assignment: Assignment;
  /** The statement that allows it. */
  readonly statement: KeyPolicyStatement;
  /** Whether the policy surely allows the request; false where a value that the policy does not contain decides. */
  readonly proven: boolean;
}

export interface Question {
  readonly action: string;
  readonly who: Representative;
  readonly attestation: Attestation;
  /** Narrows what the values of a key may be, by {@link variableOf}; an empty list is a request without the key. */
  readonly only?: (key: string) => ((values: readonly string[]) => boolean) | undefined;
  /** The request must not be allowed by this policy. */
  readonly deniedBy?: KeyPolicy;
}

/** Policies of one key under analysis, with the knowledge about every request. */
export interface Inquiry {
  readonly keyArn: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly budget: Budget;
  readonly callers: readonly Representative[];
  /** The values of a key that the policies tell apart. */
  readonly space: (key: string, who: Representative, attestation: Attestation) => KeySpace;
}

/** A goal of the search: all conditions hold, or at least one does not. */
interface Goal {
  readonly conditions: readonly Condition[];
  readonly hold: boolean;
  readonly variables: boolean;
}

type Domains = ReadonlyMap<string, Domain>;

/**
 * Opens the analysis of policies of one key.
 *
 * @param also values that are told apart beside those that the policies name, by {@link variableOf}
 * @param principals ARNs of roles and users, named beside those that the policies name
 * @throws KeyPolicyError POLICY_TOO_COMPLEX
 */
export function openInquiry(
  policies: readonly KeyPolicy[],
  {
    keyArn,
    now,
    budget,
    also,
    principals = [],
  }: Pick<Inquiry, 'keyArn' | 'now' | 'budget'> & {
    readonly also?: ReadonlyMap<string, readonly string[]>;
    readonly principals?: readonly string[];
  },
): Inquiry {
  const asked = Map.groupBy(
    policies.flatMap(({ statements, version }) =>
      statements.flatMap(({ conditions }) =>
        conditions.map((condition): Asked => ({ condition, variables: version === '2012-10-17' })),
      ),
    ),
    ({ condition }) => variableOf(condition.key),
  );
  const names = [...asked.keys()]
    .filter((key) => key.startsWith(CONTEXT))
    .map((key) => key.slice(CONTEXT.length));
  const tellApart = new Map([...(also ?? []), [CONTEXT_KEYS, names]]);
  const spaces = new Map<Representative, Map<string, KeySpace>>();
  const callers = representCallers(policies, placeOf(keyArn), { budget, principals }).map((who) =>
    withKey(who, keyArn),
  );
  const space: Inquiry['space'] = (key, who, attestation) => {
    const known = spaces.get(who) ?? new Map<string, KeySpace>();
    spaces.set(who, known);
    const name = `${attestation} ${key}`;
    const made =
      known.get(name) ??
      openKeySpace(key, asked.get(key) ?? [], {
        who,
        attestation,
        also: tellApart.get(key) ?? [],
        now,
        budget,
      });
    known.set(name, made);
    return made;
  };
  return { keyArn, now, budget, callers, space };
}

const CONTEXT = 'kms:encryptioncontext:';
const CONTEXT_KEYS = 'kms:encryptioncontextkeys';

/** Adds the condition keys that the key's ARN fixes in every request. */
function withKey(who: Representative, keyArn: string): Representative {
  const [, , , region = '', account = '', id = ''] = keyArn.split(':');
  const fixed = new Map([
    ...who.fixed,
    ['aws:resourceaccount', [account]],
    ['kms:multiregion', [String(id.startsWith('key/mrk-'))]],
    ...(region === '' ? [] : [['aws:requestedregion', [region]] as const]),
  ]);
  return { ...who, fixed };
}

/**
 * Looks for requests that a policy allows, one for each statement that allows any. Values are chosen by whoever
 * asks, except for what their identity fixes: the question is whether there is a way, not whether it is likely.
 * Callers have whatever IAM policies they like.
 *
 * A condition looks at one key, so an allowed request is a choice of values under which all conditions of one Allow
 * hold and each Deny has one that does not; found by trying, for each Deny, which one. Of each key every kind of value
 * is tried that the policies can tell apart, so that nothing found means that there is nothing. What a policy variable
 * stands for is not known: it is taken to be whatever allows the request.
 */
export function* findAllowed(inquiry: Inquiry, policy: KeyPolicy, question: Question): Generator<Witness> {
  const { who, action, attestation, deniedBy } = question;
  spend(inquiry.budget, weigh(policy) + (deniedBy === undefined ? 0 : weigh(deniedBy)));
  const denials = goalsOf(inquiry, policy, question, 'Deny', false);
  const ways = refusals(inquiry, question);
  for (const statement of policy.statements) {
    if (statement.effect !== 'Allow') continue;
    const [allowance] = goalsOf(inquiry, { ...policy, statements: [statement] }, question, 'Allow', true);
    if (allowance === undefined) continue;
    const found = firstOf(ways, (refused) => solve(inquiry, question, [allowance, ...denials, ...refused]));
    if (found === undefined) continue;
    const proven = confirms(inquiry, policy, question, statement, found);
    yield { action, who, attestation, assignment: found, statement, proven };
  }
}

function firstOf<T, R>(list: readonly T[], find: (one: T) => R | undefined): R | undefined {
  for (const one of list) {
    const found = find(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Makes a goal of each statement with this effect that applies, or may apply, to the request. */
function goalsOf(
  inquiry: Inquiry,
  policy: KeyPolicy,
  question: Question,
  effect: 'Allow' | 'Deny',
  hold: boolean,
): Goal[] {
  const variables = policy.version === '2012-10-17';
  return policy.statements.flatMap((statement) => {
    if (statement.effect !== effect) return [];
    const speaks = speaksOf(policy, statement, requestOf(inquiry, question, question.who.fixed));
    if (speaks === 'no') return [];
    const conditions =
      speaks === 'maybe' ? [...statement.conditions, reachOf(statement)] : statement.conditions;
    return [{ conditions, hold, variables }];
  });
}

/** Turns a Resource with a variable into a condition on a key of its own, whose value is unknown. */
function reachOf({ resources }: KeyPolicyStatement): Condition {
  const operator = { comparison: 'StringLike', negated: resources.negated, ifExists: false } as const;
  return { operator, key: RESOURCE, values: resources.entries };
}
const RESOURCE = 'resource';
const UNKNOWN_SPACE: KeySpace = { values: [ANY_VALUE], absent: false, many: false };

/** Lists the ways in which the other policy can refuse: by one of its Denies, or by no Allow. */
function refusals(inquiry: Inquiry, question: Question): Goal[][] {
  const { deniedBy } = question;
  if (deniedBy === undefined) return [[]];
  const denies = goalsOf(inquiry, deniedBy, question, 'Deny', true).map((goal) => [goal]);
  return [goalsOf(inquiry, deniedBy, question, 'Allow', false), ...denies];
}

interface Solver {
  readonly question: Question;
  readonly budget: Budget;
}

/** Solves the goals: conditions that have to hold narrow the values, and each goal that has to fail is a choice. */
function solve(inquiry: Inquiry, question: Question, goals: readonly Goal[]): Assignment | undefined {
  const solver: Solver = { question, budget: inquiry.budget };
  let domains: Domains | undefined = openDomains(inquiry, question, goals);
  for (const goal of goals.filter(({ hold }) => hold)) {
    for (const condition of goal.conditions) {
      domains = domains && narrow(domains, { condition, variables: goal.variables, holds: true }, solver);
    }
  }
  return (
    domains &&
    choose(
      domains,
      goals.filter(({ hold }) => !hold),
      solver,
    )
  );
}

function openDomains(
  inquiry: Inquiry,
  { who, attestation, only }: Question,
  goals: readonly Goal[],
): Domains | undefined {
  const domains = new Map<string, Domain>();
  for (const { conditions } of goals) {
    for (const { key } of conditions) {
      const name = variableOf(key);
      if (domains.has(name)) continue;
      const domain = openDomain(name === RESOURCE ? UNKNOWN_SPACE : inquiry.space(name, who, attestation));
      const takes = only?.(name);
      const restricted = takes === undefined ? domain : restrictDomain(domain, takes);
      if (!restricted.absent && restricted.values.length === 0) return undefined;
      domains.set(name, restricted);
    }
  }
  return domains;
}

/** Chooses for each goal the condition that fails, the goal with the fewest ways first, and backtracks. */
function choose(domains: Domains, goals: readonly Goal[], solver: Solver): Assignment | undefined {
  const open = goals.flatMap((goal) => {
    const ways = goal.conditions.flatMap(
      (condition) => narrow(domains, { condition, variables: goal.variables, holds: false }, solver) ?? [],
    );
    // A way that narrows nothing meets the goal, whatever is chosen later.
    return ways.includes(domains) ? [] : [{ goal, ways }];
  });
  if (open.length === 0) return settle(domains);
  const next = open.reduce((best, one) => (one.ways.length < best.ways.length ? one : best));
  const rest = open.filter((one) => one !== next).map(({ goal }) => goal);
  return firstOf(next.ways, (way) => choose(way, rest, solver));
}

/** Narrows the domain of one key: the same domains when no value falls away, undefined when none is left. */
function narrow(domains: Domains, literal: Literal, { question, budget }: Solver): Domains | undefined {
  const key = variableOf(literal.condition.key);
  const domain = domains.get(key);
  if (domain === undefined) return undefined;
  spend(budget, costOf(literal.condition, domain) + domains.size);
  const left = narrowDomain(domain, literal, demandOf(literal, question.who.fixed));
  if (left === domain) return domains;
  return left && new Map([...domains, [key, left]]);
}

/** Costs of a condition in steps: wildcards take the product of the lengths, other comparisons one step a pair. */
function costOf({ operator, values }: Condition, { values: left }: Domain): number {
  const length = (list: readonly unknown[]): number =>
    list.reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : 1), 0);
  const matched = operator.comparison === 'StringLike' || operator.comparison === 'ArnLike';
  return 1 + left.length * values.length + (matched ? (length(left) * length(values)) / 64 : 0);
}

/** Confirms a solution by evaluation: the policy as a whole allows the request, and the other denies it. */
function confirms(
  inquiry: Inquiry,
  policy: KeyPolicy,
  question: Question,
  statement: KeyPolicyStatement,
  assignment: Assignment,
): boolean {
  if ([...assignment.values()].some((values) => values.includes(ANY_VALUE))) return false;
  spend(inquiry.budget, weigh(policy));
  const request = requestOf(inquiry, question, toContext(question.who.fixed, assignment));
  const alone = {
    ...policy,
    statements: policy.statements.filter((one) => one === statement || one.effect === 'Deny'),
  };
  if (evaluateKeyPolicy(alone, request).decision === 'deny') return false;
  return question.deniedBy === undefined || evaluateKeyPolicy(question.deniedBy, request).decision === 'deny';
}

function requestOf(
  { keyArn }: Inquiry,
  { action, who }: Question,
  context: KeyRequest['context'],
): KeyRequest {
  return { action, caller: who.caller, keyArn, context, identity: 'allow', lenientNotPrincipal: true };
}

function toContext(fixed: KeyRequest['context'], assignment: Assignment): Map<string, readonly string[]> {
  const chosen = [...assignment].map(
    ([key, values]) => [key, values.filter((value) => typeof value === 'string')] as const,
  );
  const context = new Map<string, readonly string[]>([...fixed, ...chosen]);
  const pcr0 = context.get('kms:recipientattestation:pcr0');
  if (pcr0 !== undefined) context.set('kms:recipientattestation:imagesha384', pcr0);
  for (const [key, values] of context) if (values.length === 0) context.delete(key);
  return context;
}
