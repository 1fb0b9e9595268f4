import { globOf, textGlob, type Glob } from './glob.ts';
import type { RequestContext } from './pattern.ts';
import type { PolicyCaller } from './principal.ts';

/** Condition keys of a caller's requests that the caller cannot choose. */
export interface CallerContext {
  /** Condition keys with their only values; without values, a key that the requests never carry. */
  readonly fixed: RequestContext;
  /** Keys whose values are not known but have a form. */
  readonly within?: ReadonlyMap<string, Glob>;
  /** Keys with values that are somebody else's. */
  readonly without?: ReadonlyMap<string, readonly Glob[]>;
}

const TYPES = {
  root: 'Account',
  user: 'User',
  session: 'AssumedRole',
  'federated-user': 'FederatedUser',
} as const;

/**
 * The condition keys of somebody whose ARN is known.
 * Source: IAM User Guide, "AWS global condition context keys", properties of the principal.
 */
export function callerContext(
  caller: Exclude<PolicyCaller, { type: 'unnamed' }>,
  partition: string,
): CallerContext {
  if (caller.type === 'service') {
    const absent = ['arn', 'account', 'type', 'orgid', 'orgpaths'].map(
      (key) => [`aws:principal${key}`, []] as const,
    );
    return {
      fixed: new Map<string, readonly string[]>([
        ['aws:principalisawsservice', ['true']],
        ['aws:principalservicename', [caller.name]],
        ['aws:securetransport', ['true']],
        ['aws:username', []],
        ['aws:userid', []],
        ...absent,
      ]),
    };
  }
  const arn = principalArn(caller, partition);
  return {
    fixed: new Map<string, readonly string[]>([
      ['aws:principalarn', [arn]],
      ['aws:principalaccount', [caller.accountId]],
      ['aws:principaltype', [TYPES[caller.type]]],
      ['aws:principalisawsservice', ['false']],
      ['aws:securetransport', ['true']],
      ['aws:username', caller.type === 'user' ? [arn.split('/').at(-1) ?? ''] : []],
      ['kms:calleraccount', [caller.accountId]],
      ...(caller.type === 'root' ? [['aws:userid', [caller.accountId]] as const] : []),
    ]),
  };
}

/**
 * The condition keys of all principals of an account and a kind but those with the ARNs `names`; with `known`, of all
 * accounts but those.
 */
export function otherContext(
  caller: Exclude<PolicyCaller, { type: 'unnamed' | 'service' }>,
  {
    partition,
    names,
    known,
  }: {
    readonly partition: string;
    readonly names: ReadonlySet<string>;
    readonly known: ReadonlySet<string> | undefined;
  },
): CallerContext {
  const { fixed } = callerContext(caller, partition);
  const prefix = principalArn(caller, partition);
  const free = caller.type === 'user' ? ['aws:principalarn', 'aws:username'] : ['aws:principalarn'];
  const arn = known === undefined ? prefix : prefix.replace(caller.accountId, '?'.repeat(12));
  const without =
    known === undefined
      ? [...names].filter((name) => name.startsWith(prefix)).map((name) => textGlob(name))
      : [...known].map((accountId) => globOf(`arn:*:${accountId}:*`));
  return {
    fixed: new Map([...fixed].filter(([key]) => !free.includes(key))),
    within: new Map(
      free.map((key) => [
        key,
        key === 'aws:principalarn' ? globOf(caller.type === 'root' ? arn : `${arn}?*`) : globOf('?*'),
      ]),
    ),
    without: new Map([['aws:principalarn', without]]),
  };
}

/** The condition keys of a session by its name, which does not tell the path of its role. */
export function sessionContext(
  caller: Extract<PolicyCaller, { type: 'session' }>,
  partition: string,
): CallerContext {
  const { fixed } = callerContext(caller, partition);
  const arn = caller.roleArn.replace(':role/', ':role/*');
  return {
    fixed: new Map([...fixed].filter(([key]) => key !== 'aws:principalarn')),
    within: new Map([['aws:principalarn', globOf(arn)]]),
  };
}

/** The condition keys of somebody of whom nothing is known but that it is a principal. */
export function unnamedContext(): CallerContext {
  return {
    fixed: new Map<string, readonly string[]>([
      ['aws:principalisawsservice', ['false']],
      ['aws:securetransport', ['true']],
    ]),
    within: new Map([
      ['aws:principalarn', globOf('arn:*')],
      ['aws:principalaccount', globOf('?'.repeat(12))],
      ['kms:calleraccount', globOf('?'.repeat(12))],
    ]),
  };
}

/** The ARN that identifies a caller to a policy: a role's for its sessions. */
export function principalArn(caller: PolicyCaller, partition = 'aws'): string {
  switch (caller.type) {
    case 'session':
      return caller.roleArn;
    case 'user':
    case 'federated-user':
      return caller.arn;
    case 'service':
      return caller.name;
    case 'unnamed':
      return caller.value;
    case 'root':
    default:
      return `arn:${partition}:iam::${caller.accountId}:root`;
  }
}
