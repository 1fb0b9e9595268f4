import { z } from 'zod';
import { AwsServiceError, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { assertPolicy, authorizeIam, readInput } from './authorize.ts';
import {
  alreadyExists,
  deleteConflict,
  newId,
  noSuchEntity,
  type IamRole,
  type IamStore,
} from './iam-store.ts';

export const nameSchema = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w+=,.@-]+$/);
export const pathSchema = z
  .string()
  .max(512)
  .regex(/^(?:\/|\/[\x21-\x7e]+\/)$/)
  .optional();
const documentSchema = z.string().min(1).max(131_072);
const arnSchema = z.string().min(20).max(2048);
export const tagsSchema = z
  .union([
    z.array(z.object({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).max(50),
    z.literal('').transform(() => []),
  ])
  .optional();

const named = z.object({ RoleName: nameSchema });
const createSchema = named.extend({
  Path: pathSchema,
  AssumeRolePolicyDocument: documentSchema,
  Description: z.string().max(1000).optional(),
  MaxSessionDuration: z.coerce.number().int().min(3600).max(43_200).optional(),
  // A boundary would have to count; the stand-in knows none.
  PermissionsBoundary: z.undefined().optional(),
  Tags: tagsSchema,
});
const trustSchema = named.extend({ PolicyDocument: documentSchema });
const updateSchema = named.extend({
  Description: z.string().max(1000).optional(),
  MaxSessionDuration: z.coerce.number().int().min(3600).max(43_200).optional(),
});
const inlineNamed = named.extend({ PolicyName: nameSchema.max(128) });
const inlineSchema = inlineNamed.extend({ PolicyDocument: documentSchema });
const attachedSchema = named.extend({ PolicyArn: arnSchema });
const tagSchema = named.extend({ Tags: tagsSchema });
const untagSchema = named.extend({ TagKeys: z.array(z.string()).max(50) });
/** Maximum of a role's inline policies together, in characters without white space. */
const MAX_INLINE = 10_240;
const MAX_ATTACHED = 10;

/** Shows tags as a list. */
export function showTags(tags: Readonly<Record<string, string>>): object[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Reads tags of a list. */
export function readTags(tags: z.output<typeof tagsSchema>): Record<string, string> {
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value]));
}

export function showRole(role: IamRole): object {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdAt),
    AssumeRolePolicyDocument: encodeURIComponent(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
    Tags: showTags(role.tags),
  };
}

/** Finds the role of a request, when the caller may. */
function find(store: IamStore, request: AuthenticatedRequest, name: string, keys = {}): IamRole {
  const role = store.findRole(request.credential.caller.accountId, name);
  authorizeIam(request, 'role', role?.arn ?? `/${name}`, keys);
  if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** Source: AWS IAM API Reference, "CreateRole". */
export function createRole(store: IamStore, request: AuthenticatedRequest): object {
  const input = readInput(createSchema, request);
  const { accountId } = request.credential.caller;
  const { RoleName: name, Path: path = '/' } = input;
  authorizeIam(request, 'role', `${path}${name}`);
  assertPolicy(input.AssumeRolePolicyDocument, 'trust');
  if (store.findRole(accountId, name) !== undefined)
    throw alreadyExists(`Role with name ${name} already exists.`);
  const role = store.saveRole({
    accountId,
    name,
    path,
    arn: `arn:aws:iam::${accountId}:role${path}${name}`,
    id: newId('AROA'),
    createdAt: request.now,
    ...(input.Description === undefined ? {} : { description: input.Description }),
    maxSessionDuration: input.MaxSessionDuration ?? 3600,
    trustPolicy: input.AssumeRolePolicyDocument,
    inline: {},
    attached: [],
    tags: readTags(input.Tags),
  });
  return { Role: showRole(role) };
}

/** Source: AWS IAM API Reference, "GetRole". */
export function getRole(store: IamStore, request: AuthenticatedRequest): object {
  return { Role: showRole(find(store, request, readInput(named, request).RoleName)) };
}

/** Source: AWS IAM API Reference, "UpdateRole". */
export function updateRole(store: IamStore, request: AuthenticatedRequest): object {
  const input = readInput(updateSchema, request);
  const role = find(store, request, input.RoleName);
  store.saveRole({
    ...role,
    description: input.Description ?? role.description,
    maxSessionDuration: input.MaxSessionDuration ?? 3600,
  });
  return {};
}

/** Source: AWS IAM API Reference, "UpdateAssumeRolePolicy". */
export function updateAssumeRolePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, PolicyDocument: trustPolicy } = readInput(trustSchema, request);
  const role = find(store, request, name);
  assertPolicy(trustPolicy, 'trust');
  store.saveRole({ ...role, trustPolicy });
}

/** Source: AWS IAM API Reference, "DeleteRole". */
export function deleteRole(store: IamStore, request: AuthenticatedRequest): undefined {
  const role = find(store, request, readInput(named, request).RoleName);
  if (Object.keys(role.inline).length > 0) {
    throw deleteConflict('Cannot delete entity, must delete policies first.');
  }
  if (role.attached.length > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
  if (store.profilesOf(role).length > 0) {
    throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
  }
  store.deleteRole(role);
}

/** Source: AWS IAM API Reference, "PutRolePolicy". */
export function putRolePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const {
    RoleName: name,
    PolicyName: policyName,
    PolicyDocument: document,
  } = readInput(inlineSchema, request);
  const role = find(store, request, name);
  assertPolicy(document, 'identity');
  const inline = { ...role.inline, [policyName]: document };
  const size = Object.values(inline).join('').replace(/\s/g, '').length;
  if (size > MAX_INLINE)
    throw limitExceeded(`Maximum policy size of ${MAX_INLINE} bytes exceeded for role ${name}`);
  store.saveRole({ ...role, inline });
}

/** Source: AWS IAM API Reference, "GetRolePolicy". */
export function getRolePolicy(store: IamStore, request: AuthenticatedRequest): object {
  const { RoleName, PolicyName } = readInput(inlineNamed, request);
  const document = find(store, request, RoleName).inline[PolicyName];
  if (document === undefined) throw noSuchEntity(`The role policy with name ${PolicyName} cannot be found.`);
  return { RoleName, PolicyName, PolicyDocument: encodeURIComponent(document) };
}

/** Source: AWS IAM API Reference, "DeleteRolePolicy". */
export function deleteRolePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, PolicyName: policyName } = readInput(inlineNamed, request);
  const role = find(store, request, name);
  if (!Object.hasOwn(role.inline, policyName)) {
    throw noSuchEntity(`The role policy with name ${policyName} cannot be found.`);
  }
  const rest = Object.entries(role.inline).filter(([one]) => one !== policyName);
  store.saveRole({ ...role, inline: Object.fromEntries(rest) });
}

/** Source: AWS IAM API Reference, "ListRolePolicies". */
export function listRolePolicies(store: IamStore, request: AuthenticatedRequest): object {
  const role = find(store, request, readInput(named, request).RoleName);
  return { PolicyNames: Object.keys(role.inline), IsTruncated: false };
}

/** Source: AWS IAM API Reference, "AttachRolePolicy". */
export function attachRolePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, PolicyArn: arn } = readInput(attachedSchema, request);
  const role = find(store, request, name, { 'iam:PolicyARN': arn });
  store.documentOf(arn);
  const policy = store.findPolicy(arn);
  if (policy !== undefined && policy.accountId !== role.accountId) {
    throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
  }
  if (role.attached.includes(arn)) return;
  if (role.attached.length >= MAX_ATTACHED) {
    throw limitExceeded(`Cannot exceed quota for PoliciesPerRole: ${MAX_ATTACHED}`);
  }
  store.saveRole({ ...role, attached: [...role.attached, arn] });
}

/** Source: AWS IAM API Reference, "DetachRolePolicy". */
export function detachRolePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, PolicyArn: arn } = readInput(attachedSchema, request);
  const role = find(store, request, name, { 'iam:PolicyARN': arn });
  if (!role.attached.includes(arn)) throw noSuchEntity(`Policy ${arn} was not found.`);
  store.saveRole({ ...role, attached: role.attached.filter((one) => one !== arn) });
}

/** Source: AWS IAM API Reference, "ListAttachedRolePolicies". */
export function listAttachedRolePolicies(store: IamStore, request: AuthenticatedRequest): object {
  const role = find(store, request, readInput(named, request).RoleName);
  return {
    AttachedPolicies: role.attached.map((arn) => ({ PolicyName: arn.split('/').at(-1), PolicyArn: arn })),
    IsTruncated: false,
  };
}

/** Source: AWS IAM API Reference, "TagRole". */
export function tagRole(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, Tags: tags } = readInput(tagSchema, request);
  const role = find(store, request, name);
  store.saveRole({ ...role, tags: { ...role.tags, ...readTags(tags) } });
}

/** Source: AWS IAM API Reference, "UntagRole". */
export function untagRole(store: IamStore, request: AuthenticatedRequest): undefined {
  const { RoleName: name, TagKeys: keys } = readInput(untagSchema, request);
  const role = find(store, request, name);
  const tags = Object.entries(role.tags).filter(([key]) => !keys.includes(key));
  store.saveRole({ ...role, tags: Object.fromEntries(tags) });
}

function limitExceeded(message: string): Error {
  return new AwsServiceError('LimitExceeded', message, 409);
}
