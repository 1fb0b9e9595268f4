import { KeyPolicyError } from './errors.ts';

/** One entry of a Principal or NotPrincipal element. */
export type PrincipalPattern =
  | { readonly kind: 'any' }
  | { readonly kind: 'account'; readonly accountId: string }
  | {
      readonly kind: 'user' | 'role' | 'session' | 'federated-user';
      readonly accountId: string;
      readonly arn: string;
    }
  | { readonly kind: 'service'; readonly name: string }
  /**
   * A web identity or SAML provider; a canonical user; the unique id of a role or user, which AWS shows for one that
   * was deleted, and takes for one that is there.
   */
  | { readonly kind: 'federated' | 'canonical' | 'unique-id'; readonly value: string };

/** Sender of a request. */
export type Caller =
  | { readonly type: 'root'; readonly accountId: string }
  | { readonly type: 'user'; readonly accountId: string; readonly arn: string }
  | {
      readonly type: 'session';
      readonly accountId: string;
      /** arn:aws:iam::ACCOUNT:role/PATH/NAME */
      readonly roleArn: string;
      /** arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION */
      readonly sessionArn: string;
    }
  | { readonly type: 'service'; readonly name: string };

/** Sender of a request, or a principal that a policy can name by other means than the ARN of a user or role. */
export type PolicyCaller =
  | Caller
  /** A session of GetFederationToken. `arn:aws:sts::ACCOUNT:federated-user/NAME` */
  | { readonly type: 'federated-user'; readonly accountId: string; readonly arn: string }
  /** A principal whose ARN the policy does not tell, only what kind of name it goes by. */
  | {
      readonly type: 'unnamed';
      readonly accountId: string;
      readonly by: 'federated' | 'canonical' | 'unique-id';
      readonly value: string;
    };

const ACCOUNT_ID = /^[0-9]{12}$/;
const ARN = /^arn:(aws(?:-[a-z]+)*):(iam|sts)::([0-9]{12}):(.+)$/;
const NAME = String.raw`[\w+=,.@-]{1,64}`;
const USER = new RegExp(`^user/(?:[\\x21-\\x7e]+/)?${NAME}$`);
const ROLE = new RegExp(`^role/(?:[\\x21-\\x7e]+/)?${NAME}$`);
const FEDERATED_USER = /^federated-user\/[\w+=,.@-]{2,64}$/;
const SESSION = new RegExp(`^assumed-role/${NAME}/${NAME}$`);
const UNIQUE_ID = /^A[A-Z0-9]{15,127}$/;

/**
 * Reads one value under "AWS". Wildcards are taken only as the whole value, as AWS does.
 * Source: IAM User Guide, "AWS JSON policy elements: Principal".
 * @throws KeyPolicyError POLICY_MALFORMED
 */
export function parseAwsPrincipal(value: string, path: string): PrincipalPattern {
  if (value === '*') return { kind: 'any' };
  if (ACCOUNT_ID.test(value)) return { kind: 'account', accountId: value };
  if (UNIQUE_ID.test(value)) return { kind: 'unique-id', value };
  const [, , service, accountId, resource] = ARN.exec(value) ?? [];
  if (accountId !== undefined && resource !== undefined && !/[*?]/.test(resource)) {
    if (service === 'iam' && resource === 'root') return { kind: 'account', accountId };
    if (service === 'iam' && USER.test(resource)) return { kind: 'user', accountId, arn: value };
    if (service === 'iam' && ROLE.test(resource)) return { kind: 'role', accountId, arn: value };
    if (service === 'sts' && SESSION.test(resource)) return { kind: 'session', accountId, arn: value };
    if (service === 'sts' && FEDERATED_USER.test(resource)) {
      return { kind: 'federated-user', accountId, arn: value };
    }
  }
  throw new KeyPolicyError(
    'POLICY_MALFORMED',
    'expected "*", an account id, or the ARN or unique id of a user, role or session',
    { path, value },
  );
}

/** Closeness of a match: none, by the caller's account only, or by the caller itself. */
export type PrincipalMatch = 'none' | 'account' | 'direct';

/** The closest match among a Principal element's entries. */
export function matchPrincipal(patterns: readonly PrincipalPattern[], caller: PolicyCaller): PrincipalMatch {
  const matches = patterns.map((pattern) => matchPattern(pattern, caller));
  if (matches.includes('direct')) return 'direct';
  return matches.includes('account') ? 'account' : 'none';
}

function matchPattern(pattern: PrincipalPattern, caller: PolicyCaller): PrincipalMatch {
  switch (pattern.kind) {
    case 'any':
      return 'direct';
    case 'service':
      return caller.type === 'service' && (pattern.name === '*' || pattern.name === caller.name)
        ? 'direct'
        : 'none';
    case 'account':
      if (caller.type === 'service' || caller.accountId !== pattern.accountId) return 'none';
      return caller.type === 'root' ? 'direct' : 'account';
    case 'user':
      return caller.type === 'user' && caller.arn === pattern.arn ? 'direct' : 'none';
    case 'role':
      return caller.type === 'session' && caller.roleArn === pattern.arn ? 'direct' : 'none';
    case 'session':
      return caller.type === 'session' && caller.sessionArn === pattern.arn ? 'direct' : 'none';
    case 'federated-user':
      return caller.type === 'federated-user' && caller.arn === pattern.arn ? 'direct' : 'none';
    case 'federated':
    case 'canonical':
    case 'unique-id':
    default:
      return caller.type === 'unnamed' && caller.by === pattern.kind && caller.value === pattern.value
        ? 'direct'
        : 'none';
  }
}

/**
 * Whether a NotPrincipal element leaves this caller out. AWS looks at the account, then the user or role, then the
 * session, and each of them has to be listed to be left out of a Deny.
 * Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal".
 */
export function isExemptByNotPrincipal(patterns: readonly PrincipalPattern[], caller: PolicyCaller): boolean {
  if (patterns.some((pattern) => pattern.kind === 'any')) return true;
  const lists = (kind: PrincipalPattern['kind'], arn: string): boolean =>
    patterns.some((pattern) => pattern.kind === kind && 'arn' in pattern && pattern.arn === arn);
  if (caller.type === 'service' || caller.type === 'unnamed')
    return matchPrincipal(patterns, caller) === 'direct';
  const account = patterns.some((entry) => entry.kind === 'account' && entry.accountId === caller.accountId);
  if (caller.type === 'root') return account;
  if (caller.type === 'user' || caller.type === 'federated-user') {
    return account && lists(caller.type, caller.arn);
  }
  return account && lists('role', caller.roleArn) && lists('session', caller.sessionArn);
}
