import { z } from 'zod';
import { AwsServiceError, type StateStore } from '../aws/plumbing.ts';
import { newRoleId, type PrincipalDirectory } from '../aws/directory.ts';
import { AWS_MANAGED_POLICIES } from './aws-managed-policies.ts';

const tagsSchema = z.record(z.string(), z.string());
const roleSchema = z.object({
  accountId: z.string(),
  name: z.string(),
  path: z.string(),
  arn: z.string(),
  id: z.string(),
  createdAt: z.number(),
  description: z.string().optional(),
  maxSessionDuration: z.number(),
  trustPolicy: z.string(),
  /** Inline policies by name, as JSON. */
  inline: z.record(z.string(), z.string()),
  /** ARNs of managed policies. */
  attached: z.array(z.string()),
  tags: tagsSchema,
});
const policySchema = z.object({
  accountId: z.string(),
  name: z.string(),
  path: z.string(),
  arn: z.string(),
  id: z.string(),
  createdAt: z.number(),
  description: z.string().optional(),
  versions: z.array(z.object({ id: z.string(), document: z.string(), createdAt: z.number() })),
  defaultVersion: z.string(),
  tags: tagsSchema,
});
const profileSchema = z.object({
  accountId: z.string(),
  name: z.string(),
  path: z.string(),
  arn: z.string(),
  id: z.string(),
  createdAt: z.number(),
  roles: z.array(z.string()),
  tags: tagsSchema,
});

export type IamRole = Readonly<z.output<typeof roleSchema>>;
export type ManagedPolicy = Readonly<z.output<typeof policySchema>>;
export type InstanceProfile = Readonly<z.output<typeof profileSchema>>;

/** Roles, managed policies and instance profiles that requests have made, kept in the state store. */
export class IamStore {
  readonly #state: StateStore;
  readonly #directory: PrincipalDirectory;
  readonly #roles = new Map<string, IamRole>();
  readonly #policies = new Map<string, ManagedPolicy>();
  readonly #profiles = new Map<string, InstanceProfile>();

  constructor(state: StateStore, directory: PrincipalDirectory) {
    this.#state = state;
    this.#directory = directory;
    for (const { value } of state.list('iam-policy')) {
      const policy = policySchema.parse(value);
      this.#policies.set(policy.arn, policy);
    }
    for (const { value } of state.list('iam-instance-profile')) {
      const profile = profileSchema.parse(value);
      this.#profiles.set(profile.arn, profile);
    }
    for (const { value } of state.list('iam-role')) this.#define(roleSchema.parse(value));
  }

  /** Finds a role by its name; those that the program has defined have no record of their own until now. */
  findRole(accountId: string, name: string): IamRole | undefined {
    const known = [...this.#roles.values()].find(
      (role) => role.accountId === accountId && role.name === name,
    );
    return known ?? this.#findDefined(accountId, name);
  }

  getRole(accountId: string, name: string): IamRole {
    const role = this.findRole(accountId, name);
    if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
    return role;
  }

  /** Saves a role as it is now; its sessions have its policies from now on. */
  saveRole(role: IamRole): IamRole {
    this.#define(role);
    this.#state.put('iam-role', role.arn, role);
    return role;
  }

  deleteRole({ arn }: IamRole): void {
    this.#state.delete('iam-role', arn);
    this.#roles.delete(arn);
    this.#directory.removeRole(arn);
  }

  getPolicy(arn: string): ManagedPolicy {
    const policy = this.#policies.get(arn);
    if (policy === undefined) throw noSuchEntity(`Policy ${arn} was not found.`);
    return policy;
  }

  findPolicy(arn: string): ManagedPolicy | undefined {
    return this.#policies.get(arn);
  }

  savePolicy(policy: ManagedPolicy): ManagedPolicy {
    this.#state.put('iam-policy', policy.arn, policy);
    this.#policies.set(policy.arn, policy);
    for (const role of this.#roles.values()) if (role.attached.includes(policy.arn)) this.#define(role);
    return policy;
  }

  deletePolicy({ arn }: ManagedPolicy): void {
    this.#state.delete('iam-policy', arn);
    this.#policies.delete(arn);
  }

  /** Roles to which a managed policy is attached. */
  attachments(arn: string): IamRole[] {
    return [...this.#roles.values()].filter(({ attached }) => attached.includes(arn));
  }

  /** Text of a managed policy, an account's own or AWS's. @throws AwsServiceError NoSuchEntity */
  documentOf(arn: string): string {
    const own = this.#policies.get(arn);
    const text =
      own === undefined
        ? AWS_MANAGED_POLICIES.get(arn)
        : own.versions.find(({ id }) => id === own.defaultVersion)?.document;
    if (text === undefined) throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
    return text;
  }

  findProfile(accountId: string, name: string): InstanceProfile | undefined {
    return [...this.#profiles.values()].find(
      (profile) => profile.accountId === accountId && profile.name === name,
    );
  }

  getProfile(accountId: string, name: string): InstanceProfile {
    const profile = this.findProfile(accountId, name);
    if (profile === undefined) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
    return profile;
  }

  /** Instance profiles that a role is in. */
  profilesOf({ accountId, name }: IamRole): InstanceProfile[] {
    return [...this.#profiles.values()].filter(
      (profile) => profile.accountId === accountId && profile.roles.includes(name),
    );
  }

  saveProfile(profile: InstanceProfile): InstanceProfile {
    this.#state.put('iam-instance-profile', profile.arn, profile);
    this.#profiles.set(profile.arn, profile);
    return profile;
  }

  deleteProfile({ arn }: InstanceProfile): void {
    this.#state.delete('iam-instance-profile', arn);
    this.#profiles.delete(arn);
  }

  #define(role: IamRole): void {
    const { accountId, name, path, trustPolicy, maxSessionDuration } = role;
    const policies = [...Object.values(role.inline), ...role.attached.map((arn) => this.documentOf(arn))];
    this.#directory.defineRole(
      { accountId, roleName: name, path, policies, trustPolicy, maxSessionDuration },
      role.id,
    );
    this.#roles.set(role.arn, role);
  }

  #findDefined(accountId: string, name: string): IamRole | undefined {
    const role = this.#directory.listRoles(accountId).find((one) => one.name === name);
    if (role === undefined) return undefined;
    return {
      accountId,
      name,
      path: role.path,
      arn: role.arn,
      id: role.id,
      createdAt: 0,
      maxSessionDuration: role.maxSessionDuration,
      trustPolicy: role.trustText ?? '{"Version":"2012-10-17","Statement":[]}',
      inline: {},
      attached: [],
      tags: {},
    };
  }
}

/** Makes a unique id of IAM with a prefix: AROA for roles, ANPA for policies, AIPA for profiles. */
export function newId(prefix: string): string {
  return prefix + newRoleId().slice(4);
}

export function noSuchEntity(message: string): AwsServiceError {
  return new AwsServiceError('NoSuchEntity', message, 404);
}

export function alreadyExists(message: string): AwsServiceError {
  return new AwsServiceError('EntityAlreadyExists', message, 409);
}

export function deleteConflict(message: string): AwsServiceError {
  return new AwsServiceError('DeleteConflict', message, 409);
}
