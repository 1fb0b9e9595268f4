import { randomBytes } from 'node:crypto';
import { parseIdentityPolicy, type Caller, type IdentityPolicy } from '../../attestation/key-policy/index.ts';

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

interface Role {
  readonly accountId: string;
  readonly name: string;
  readonly arn: string;
  readonly id: string;
  readonly policies: readonly IdentityPolicy[];
}

/**
 * Principals of the local AWS: accounts, users, roles and their credentials. The program fills the directory, never a
 * request, and it ends with the process.
 */
export class PrincipalDirectory {
  readonly #clock: () => number;
  readonly #roles = new Map<string, Role>();
  readonly #credentials = new Map<string, Credential>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Creates a role, or replaces the policies of the one of that name. Returns its ARN.
   * @throws RangeError for ids and names that AWS does not take; KeyPolicyError for a policy
   */
  defineRole({ accountId, roleName, policies = [] }: RoleOptions): string {
    assertNames(accountId, roleName);
    const arn = `arn:aws:iam::${accountId}:role/${roleName}`;
    const id = this.#roles.get(arn)?.id ?? `AROA${randomId()}`;
    this.#roles.set(arn, { accountId, name: roleName, arn, id, policies: policies.map(parseIdentityPolicy) });
    return arn;
  }

  /** Makes temporary credentials of a role, as AWS STS and the instance metadata service give them. */
  assumeRole({ roleArn, sessionName, durationSeconds = 3600 }: SessionOptions): AwsCredentials {
    const role = this.#roles.get(roleArn);
    if (role === undefined) throw new RangeError('expected a role that was defined');
    assertNames(role.accountId, sessionName);
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
      policies: role.policies,
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
    return this.#credentials.get(accessKeyId);
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

function assertNames(accountId: string, name: string): void {
  if (!ACCOUNT_ID.test(accountId)) throw new RangeError('expected an account id of twelve digits');
  if (!NAME.test(name)) throw new RangeError('expected a name that IAM takes');
}

function randomId(): string {
  return Array.from(randomBytes(16), (byte) => BASE32[byte % 32]).join('');
}
