import { randomBytes } from 'node:crypto';
import {
  buildRequestContext,
  evaluateKeyPolicy,
  parseIdentityPolicy,
  parseTrustPolicy,
  type Caller,
  type IdentityPolicy,
  type KeyPolicy,
} from '../../attestation/key-policy/index.ts';

/** Credentials as an AWS SDK takes them. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Registered credential and the principal that it speaks for. */
export interface Credential extends AwsCredentials {
  readonly caller: Exclude<Caller, { type: 'service' }>;
  readonly policies: readonly IdentityPolicy[];
  /** Value of `aws:userid`. */
  readonly userId: string;
  readonly issuedAt: number;
}

export interface RoleOptions {
  readonly accountId: string;
  readonly roleName: string;
  /** IAM policies attached to the role, as JSON. None when left out: the key policy then has to name the role. */
  readonly policies?: readonly string[];
  /** Path before the name, `/` when left out. */
  readonly path?: string;
  /** Trust policy, as JSON: who may assume the role by AWS STS. Nobody when left out. */
  readonly trustPolicy?: string;
  /** Maximum of a session's lifetime in seconds; an hour when left out. */
  readonly maxSessionDuration?: number;
}

export interface SessionOptions {
  readonly roleArn: string;
  readonly sessionName: string;
  /** Lifetime in seconds; an hour when left out. */
  readonly durationSeconds?: number;
}

export interface AccessKeyOptions {
  readonly accountId: string;
  /** Name of the user; the root user when left out. */
  readonly userName?: string;
  readonly policies?: readonly string[];
}

/** IAM policy that allows everything, for an administrator. */
export const ADMINISTRATOR_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
});

const ACCOUNT_ID = /^[0-9]{12}$/;
const NAME = /^[\w+=,.@-]{2,64}$/;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Role as policies see it. */
export interface Role {
  readonly accountId: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** Unique id, `AROA…`; another one after the role was deleted and made anew. */
  readonly id: string;
  readonly policies: readonly IdentityPolicy[];
  readonly trust: KeyPolicy | undefined;
  readonly trustText: string | undefined;
  readonly maxSessionDuration: number;
}

/**
 * Principals of the local AWS: accounts, users, roles and their credentials. The program fills the directory, and IAM
 * with the roles that it keeps; credentials end with the process.
 */
export class PrincipalDirectory {
  readonly #clock: () => number;
  readonly #roles = new Map<string, Role>();
  readonly #credentials = new Map<string, Credential>();
  readonly #closed = new Set<string>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Creates a role, or replaces the policies of the one of that name, whose sessions have them from now on. Returns its
   * ARN.
   * @throws RangeError for ids and names that AWS does not take; KeyPolicyError for a policy
   */
  defineRole(
    { accountId, roleName, policies = [], path = '/', trustPolicy, maxSessionDuration = 3600 }: RoleOptions,
    id?: string,
  ): string {
    assertNames(accountId, roleName);
    const arn = `arn:aws:iam::${accountId}:role${path}${roleName}`;
    this.#roles.set(arn, {
      accountId,
      name: roleName,
      path,
      arn,
      id: id ?? this.#roles.get(arn)?.id ?? newRoleId(),
      policies: policies.map(parseIdentityPolicy),
      trust: trustPolicy === undefined ? undefined : parseTrustPolicy(trustPolicy),
      trustText: trustPolicy,
      maxSessionDuration,
    });
    return arn;
  }

  findRole(arn: string): Role | undefined {
    const role = this.#roles.get(arn);
    return role === undefined || this.isClosed(role.accountId) ? undefined : role;
  }

  /** Lists the roles of an account. */
  listRoles(accountId: string): Role[] {
    return [...this.#roles.values()].filter((role) => role.accountId === accountId);
  }

  /** Forgets a role; its sessions may do nothing from now on. */
  removeRole(arn: string): void {
    this.#roles.delete(arn);
  }

  /** Whether a role's trust policy lets an AWS service assume it. */
  trustsService(arn: string, service: string, now: number): boolean {
    const trust = this.#roles.get(arn)?.trust;
    if (trust === undefined) return false;
    const context = buildRequestContext([
      ['aws:CurrentTime', new Date(now).toISOString()],
      ['aws:PrincipalIsAWSService', 'true'],
    ]);
    const caller = { type: 'service', name: service } as const;
    return (
      evaluateKeyPolicy(trust, { action: 'sts:AssumeRole', caller, keyArn: arn, context }).decision ===
      'allow'
    );
  }

  /** Makes temporary credentials of a role, as AWS STS and the instance metadata service give them. */
  assumeRole({ roleArn, sessionName, durationSeconds = 3600 }: SessionOptions): AwsCredentials {
    const role = this.findRole(roleArn);
    if (role === undefined) throw new RangeError('expected a role that was defined');
    assertNames(role.accountId, sessionName);
    const roles = this.#roles;
    return this.#register({
      accessKeyId: `ASIA${randomId()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(192).toString('base64'),
      expiration: new Date(this.#clock() + durationSeconds * 1000),
      caller: {
        type: 'session',
        accountId: role.accountId,
        roleArn,
        sessionArn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${sessionName}`,
      },
      // What a role may do is asked at each request. A role that was made anew under the name is another one.
      get policies() {
        const current = roles.get(roleArn);
        return current?.id === role.id ? current.policies : [];
      },
      userId: `${role.id}:${sessionName}`,
      issuedAt: this.#clock(),
    });
  }

  /** Makes long-lived credentials of a user, or of an account's root user. */
  createAccessKey({ accountId, userName, policies = [] }: AccessKeyOptions): AwsCredentials {
    assertNames(accountId, userName ?? 'root');
    return this.#register({
      accessKeyId: `AKIA${randomId()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      caller:
        userName === undefined
          ? { type: 'root', accountId }
          : { type: 'user', accountId, arn: `arn:aws:iam::${accountId}:user/${userName}` },
      policies: policies.map(parseIdentityPolicy),
      userId: userName === undefined ? accountId : `AIDA${randomId()}`,
      issuedAt: this.#clock(),
    });
  }

  /** Revokes an access key, which is unknown from now on. */
  revoke(accessKeyId: string): void {
    this.#credentials.delete(accessKeyId);
  }

  find(accessKeyId: string): Credential | undefined {
    const credential = this.#credentials.get(accessKeyId);
    return credential === undefined || this.isClosed(credential.caller.accountId) ? undefined : credential;
  }

  /**
   * Closes an account for good: all of its credentials are unknown from now on, and its keys and buckets are nobody's to use.
   * Source: AWS Account Management, "Close an AWS account".
   */
  closeAccount(accountId: string): void {
    this.#closed.add(accountId);
  }

  isClosed(accountId: string): boolean {
    return this.#closed.has(accountId);
  }

  #register(credential: Credential): AwsCredentials {
    this.#credentials.set(credential.accessKeyId, credential);
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = credential;
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(expiration === undefined ? {} : { expiration }),
    };
  }
}

/** ARN that AWS shows for a caller: a session's own, not its role's. */
export function callerArn(caller: Credential['caller']): string {
  switch (caller.type) {
    case 'session':
      return caller.sessionArn;
    case 'user':
      return caller.arn;
    case 'root':
    default:
      return `arn:aws:iam::${caller.accountId}:root`;
  }
}

/** Makes the unique id of a role. */
export function newRoleId(): string {
  return `AROA${randomId()}`;
}

function assertNames(accountId: string, name: string): void {
  if (!ACCOUNT_ID.test(accountId)) throw new RangeError('expected an account id of twelve digits');
  if (!NAME.test(name)) throw new RangeError('expected a name that IAM takes');
}

function randomId(): string {
  return Array.from(randomBytes(16), (byte) => BASE32[byte % 32]).join('');
}
