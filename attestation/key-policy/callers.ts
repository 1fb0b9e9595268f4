import type { KeyPolicy } from './document.ts';
import type { Caller, PrincipalPattern } from './principal.ts';
import type { RequestContext } from './pattern.ts';

/** Somebody who stands for all that a policy cannot tell from them. */
export interface Representative {
  readonly caller: Caller;
  /** In words, for people. */
  readonly label: string;
  /** `named` by the policy, or one of the many: any other principal of an account that the policy knows, or of none. */
  readonly kind: 'named' | 'root' | 'other-in-account' | 'stranger' | 'service';
}

const OTHER_ROLE = 'any-other-role';
const STRANGER_ACCOUNT = '999999999999';

/** Everybody whom the policies can tell apart, each by one representative. */
export function representCallers(policies: readonly KeyPolicy[], keyAccount: string): Representative[] {
  const patterns = policies.flatMap((policy) => policy.statements.flatMap((one) => one.principals.entries));
  const arns = policies.flatMap(principalArnsOfConditions);
  const accounts = new Set([
    keyAccount,
    ...patterns.flatMap((one) => ('accountId' in one ? one.accountId : [])),
  ]);
  const named = [
    ...patterns.flatMap(representPattern),
    ...arns.flatMap((arn) => representArn(arn, keyAccount)),
  ];
  const all: Representative[] = [
    ...named,
    ...[...accounts].flatMap((accountId): Representative[] => [
      { caller: { type: 'root', accountId }, label: `root user of ${accountId}`, kind: 'root' },
      {
        caller: roleSession(accountId, OTHER_ROLE),
        label: `any other principal of ${accountId} with an IAM policy`,
        kind: 'other-in-account',
      },
    ]),
    {
      caller: roleSession(STRANGER_ACCOUNT, OTHER_ROLE),
      label: 'any principal of any other account',
      kind: 'stranger',
    },
  ];
  return [...new Map(all.map((one) => [JSON.stringify(one.caller), one])).values()];
}

/** The condition keys that a caller's requests always carry, and cannot choose. */
export function callerContext(caller: Caller): RequestContext {
  if (caller.type === 'service') {
    return new Map([
      ['aws:principalisawsservice', ['true']],
      ['aws:securetransport', ['true']],
    ]);
  }
  const arn = principalArn(caller);
  const types = { root: 'Account', user: 'User', session: 'AssumedRole' } as const;
  const username = caller.type === 'user' ? arn.split('/').at(-1) : undefined;
  return new Map([
    ['aws:principalarn', [arn]],
    ['aws:principalaccount', [caller.accountId]],
    ['aws:principaltype', [types[caller.type]]],
    ['aws:principalisawsservice', ['false']],
    ['aws:securetransport', ['true']],
    ['aws:username', username === undefined ? [] : [username]],
    ['kms:calleraccount', [caller.accountId]],
  ]);
}

/** The ARN that identifies a caller to a policy: a role's for its sessions. */
export function principalArn(caller: Caller): string {
  switch (caller.type) {
    case 'session':
      return caller.roleArn;
    case 'user':
      return caller.arn;
    case 'service':
      return caller.name;
    case 'root':
    default:
      return `arn:aws:iam::${caller.accountId}:root`;
  }
}

function representPattern(pattern: PrincipalPattern): Representative[] {
  switch (pattern.kind) {
    case 'user':
      return [
        {
          caller: { type: 'user', accountId: pattern.accountId, arn: pattern.arn },
          label: pattern.arn,
          kind: 'named',
        },
      ];
    case 'role':
      return [
        {
          caller: roleSession(pattern.accountId, roleName(pattern.arn), pattern.arn),
          label: pattern.arn,
          kind: 'named',
        },
      ];
    case 'session':
      return [
        {
          caller: {
            ...roleSession(pattern.accountId, pattern.arn.split('/')[1] ?? ''),
            sessionArn: pattern.arn,
          },
          label: pattern.arn,
          kind: 'named',
        },
      ];
    case 'service':
      return [{ caller: { type: 'service', name: pattern.name }, label: pattern.name, kind: 'service' }];
    case 'any':
    case 'account':
    case 'other':
    default:
      return [];
  }
}

/** A condition on aws:PrincipalArn names callers as well; a wildcard stands for a name that fits. */
function principalArnsOfConditions(policy: KeyPolicy): string[] {
  return policy.statements
    .flatMap((statement) => statement.conditions)
    .filter(({ key }) => key.toLowerCase() === 'aws:principalarn')
    .flatMap(({ values }) => values.map((value) => value.replaceAll(/[*?]/g, 'x')));
}

function representArn(arn: string, keyAccount: string): Representative[] {
  const [, account = '', kind, name = ''] = /^arn:[^:]*:iam::([^:]*):(user|role)\/(.+)$/.exec(arn) ?? [];
  const accountId = /^[0-9]{12}$/.test(account) ? account : keyAccount;
  if (kind === 'user') {
    const full = `arn:aws:iam::${accountId}:user/${name}`;
    return [{ caller: { type: 'user', accountId, arn: full }, label: full, kind: 'named' }];
  }
  if (kind !== 'role') return [];
  const full = `arn:aws:iam::${accountId}:role/${name}`;
  return [{ caller: roleSession(accountId, roleName(full), full), label: full, kind: 'named' }];
}

function roleSession(
  accountId: string,
  name: string,
  roleArn = `arn:aws:iam::${accountId}:role/${name}`,
): Caller & { type: 'session' } {
  return {
    type: 'session',
    accountId,
    roleArn,
    sessionArn: `arn:aws:sts::${accountId}:assumed-role/${name}/any-session`,
  };
}

function roleName(arn: string): string {
  return arn.split('/').at(-1) ?? '';
}
