import type { Budget } from './budget.ts';
import {
  callerContext,
  otherContext,
  principalArn,
  sessionContext,
  unnamedContext,
  type CallerContext,
} from './caller-context.ts';
import type { Condition } from './condition.ts';
import type { KeyPolicy } from './document.ts';
import { globOf, readGlob, sampleTexts, type Glob } from './glob.ts';
import type { PolicyCaller, PrincipalPattern } from './principal.ts';

/** One caller that stands for every caller whom the policies cannot tell from it. */
export interface Representative extends CallerContext {
  readonly caller: PolicyCaller;
  /** Description of the caller in words. */
  readonly label: string;
  /** `named` by the policy, or one of many: any other principal of an account that the policy names, or of none. */
  readonly kind: 'named' | 'root' | 'other-in-account' | 'stranger' | 'service';
}

/** Partition and account of a key, which decide who is a stranger. */
export interface KeyPlace {
  readonly partition: string;
  readonly accountId: string;
}

/** Reads partition and account from a key's ARN. @param keyArn `arn:PARTITION:kms:REGION:ACCOUNT:key/ID` */
export function placeOf(keyArn: string): KeyPlace {
  const [, partition = 'aws', , , accountId = ''] = keyArn.split(':');
  return { partition, accountId };
}

/**
 * Lists one representative of each kind of caller that the policies can tell apart. Accounts are told apart by their ids, in
 * Principal elements and in conditions; within an account the principals that are named, its root user, and each kind
 * of principal that nobody named.
 *
 * @param principals ARNs of roles and users to name beside those that the policies name
 * @throws KeyPolicyError POLICY_TOO_COMPLEX
 */
export function representCallers(
  policies: readonly KeyPolicy[],
  place: KeyPlace,
  { budget, principals }: { readonly budget: Budget; readonly principals: readonly string[] },
): Representative[] {
  const patterns = policies.flatMap((policy) => policy.statements.flatMap((one) => one.principals.entries));
  const conditions = policies.flatMap((policy) => policy.statements.flatMap((one) => one.conditions));
  const inConditions = [...principalsOfConditions(conditions), ...principals.flatMap(readPrincipal)];
  const accounts = new Set([
    place.accountId,
    ...[...patterns, ...inConditions].flatMap((one) => ('accountId' in one ? one.accountId : [])),
    ...accountsOfConditions(conditions),
  ]);
  const stranger = freshAccounts(conditions, accounts, budget);
  const named = [...patterns, ...inConditions].flatMap((one) =>
    representPattern(one, place, stranger[0] ?? ''),
  );
  const names = new Set(named.flatMap(({ fixed }) => fixed.get('aws:principalarn') ?? []));
  const others = [...accounts].flatMap((accountId): Representative[] => [
    {
      ...callerContext({ type: 'root', accountId }, place.partition),
      caller: { type: 'root', accountId },
      label: `root user of ${accountId}`,
      kind: 'root',
    },
    ...representOthers(accountId, names, place).map((one): Representative => ({
      ...one,
      label: `any other principal of ${accountId} with an IAM policy`,
      kind: 'other-in-account',
    })),
  ]);
  const strangers = stranger.flatMap((accountId) =>
    representOthers(accountId, names, place, accounts).map((one): Representative => ({
      ...one,
      label: 'any principal of any other account',
      kind: 'stranger',
    })),
  );
  const all = [...named, ...others, ...strangers, anyOtherService(patterns)];
  return [...new Map(all.map((one) => [JSON.stringify(one.caller), one])).values()];
}

function representPattern(pattern: PrincipalPattern, place: KeyPlace, stranger: string): Representative[] {
  const caller = callerOf(pattern, stranger);
  if (caller === undefined) return [];
  const label = 'arn' in pattern ? pattern.arn : principalArn(caller);
  if (caller.type === 'unnamed') {
    return [{ ...unnamedContext(), caller, label: `${LABELS[caller.by]} ${label}`, kind: 'named' }];
  }
  const kind = caller.type === 'service' ? 'service' : 'named';
  const context =
    pattern.kind === 'session' && caller.type === 'session'
      ? sessionContext(caller, place.partition)
      : callerContext(caller, place.partition);
  return [{ ...context, caller, label, kind }];
}

const LABELS = {
  federated: 'whoever signs in with',
  canonical: 'the account with the canonical id',
  'unique-id': 'the principal with the unique id',
} as const;

/** A principal that is one caller. An unnamed one may be of any account, so it is in none that a Deny could name. */
function callerOf(pattern: PrincipalPattern, stranger: string): PolicyCaller | undefined {
  switch (pattern.kind) {
    case 'user':
    case 'federated-user':
      return { type: pattern.kind, accountId: pattern.accountId, arn: pattern.arn };
    case 'role':
      return sessionOf(pattern.accountId, pattern.arn);
    case 'session': {
      const [, name = ''] = pattern.arn.split('/');
      const role = pattern.arn.replace(/:sts:(.*):assumed-role\/.*$/, `:iam:$1:role/${name}`);
      return { type: 'session', accountId: pattern.accountId, roleArn: role, sessionArn: pattern.arn };
    }
    case 'service':
      return pattern.name === '*' ? undefined : { type: 'service', name: pattern.name };
    case 'federated':
    case 'canonical':
    case 'unique-id':
      return { type: 'unnamed', accountId: stranger, by: pattern.kind, value: pattern.value };
    case 'any':
    case 'account':
    default:
      return undefined;
  }
}

/** A session of a role that no policy names by itself: no session name has this length. */
function sessionOf(accountId: string, roleArn: string): PolicyCaller & { type: 'session' } {
  const name = roleArn.split('/').at(-1) ?? '';
  const sessionArn = `${roleArn.replace(/:iam:(.*):role\/.*$/, ':sts:$1:assumed-role')}/${name}/${'-'.repeat(65)}`;
  return { type: 'session', accountId, roleArn, sessionArn };
}

/** Each kind of principal of an account that nobody named. Their ARNs are no principal's, so no element names them. */
function representOthers(
  accountId: string,
  names: ReadonlySet<string>,
  { partition }: KeyPlace,
  known?: ReadonlySet<string>,
): Pick<Representative, 'caller' | 'fixed' | 'within' | 'without'>[] {
  const role = `arn:${partition}:iam::${accountId}:role/`;
  const callers = [
    // The root user of a known account is represented by itself.
    ...(known === undefined ? [] : [{ type: 'root', accountId } as const]),
    sessionOf(accountId, role),
    { type: 'user', accountId, arn: `arn:${partition}:iam::${accountId}:user/` },
    { type: 'federated-user', accountId, arn: `arn:${partition}:sts::${accountId}:federated-user/` },
  ] as const;
  return callers.map((caller) => ({ ...otherContext(caller, { partition, names, known }), caller }));
}

function anyOtherService(patterns: readonly PrincipalPattern[]): Representative {
  const names = patterns.flatMap((one) => (one.kind === 'service' ? one.name : []));
  let name = 'other.amazonaws.com';
  while (names.includes(name)) name = `x${name}`;
  const caller: PolicyCaller = { type: 'service', name };
  return { ...callerContext(caller, 'aws'), caller, label: 'any other AWS service', kind: 'service' };
}

/** Principals that a condition on aws:PrincipalArn names in full. */
function principalsOfConditions(conditions: readonly Condition[]): PrincipalPattern[] {
  return conditions
    .filter(({ key }) => key.toLowerCase() === 'aws:principalarn')
    .flatMap(({ values }) => values)
    .filter((arn) => !/[*?$]/.test(arn))
    .flatMap(readPrincipal);
}

/** The role or user with this ARN. */
function readPrincipal(arn: string): PrincipalPattern[] {
  const [, accountId, kind] = /^arn:[^:]*:iam::([0-9]{12}):(user|role)\/./.exec(arn) ?? [];
  return accountId === undefined ? [] : [{ kind: kind === 'user' ? 'user' : 'role', accountId, arn }];
}

/** Keys whose value is an account id of the caller. */
const ACCOUNT_KEYS = ['aws:principalaccount', 'kms:calleraccount'];

function accountsOfConditions(conditions: readonly Condition[]): string[] {
  return conditions.flatMap(({ key, values }) => {
    const lower = key.toLowerCase();
    if (ACCOUNT_KEYS.includes(lower)) return values.filter((value) => /^[0-9]{12}$/.test(value));
    if (!['aws:principalarn', 'aws:userid'].includes(lower)) return [];
    return values.flatMap((value) => /^arn:[^:]*:(?:iam|sts)::([0-9]{12}):/.exec(value)?.[1] ?? []);
  });
}

/** Ids of accounts that are none of those known, one of each kind that a condition tells apart. */
function freshAccounts(
  conditions: readonly Condition[],
  known: ReadonlySet<string>,
  budget: Budget,
): string[] {
  const patterns = conditions.flatMap(({ key, operator, values }): Glob[] => {
    if (!ACCOUNT_KEYS.includes(key.toLowerCase())) return [];
    return values.flatMap((value) => readGlob(operator.comparison, value, NO_CONTEXT) ?? []);
  });
  return sampleTexts(patterns.filter(hasWildcard), {
    within: globOf('?'.repeat(12)),
    without: [...known].map((id) => globOf(id)),
    alphabet: '9876543210',
    budget,
  });
}

const NO_CONTEXT = { context: new Map(), variables: true };

function hasWildcard({ units }: Glob): boolean {
  return units.some(({ is }) => is !== 'character');
}
