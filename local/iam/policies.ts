import { z } from 'zod';
import type { AuthenticatedRequest } from '../aws/plumbing.ts';
import { AWS_MANAGED_POLICIES } from './aws-managed-policies.ts';
import { assertPolicy, authorizeIam, readInput } from './authorize.ts';
import {
  alreadyExists,
  deleteConflict,
  newId,
  noSuchEntity,
  type IamStore,
  type ManagedPolicy,
} from './iam-store.ts';
import { nameSchema, pathSchema, readTags, showTags, tagsSchema } from './roles.ts';

const arnSchema = z.string().min(20).max(2048);
const documentSchema = z.string().min(1).max(131_072);
const createSchema = z.object({
  PolicyName: nameSchema.max(128),
  Path: pathSchema,
  PolicyDocument: documentSchema,
  Description: z.string().max(1000).optional(),
  Tags: tagsSchema,
});
const namedSchema = z.object({ PolicyArn: arnSchema });
const versionSchema = namedSchema.extend({ VersionId: z.string().regex(/^v[1-9][0-9]*$/) });
const newVersionSchema = namedSchema.extend({
  PolicyDocument: documentSchema,
  SetAsDefault: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional(),
});
/** Maximum of the versions of a policy, as with AWS. */
const MAX_VERSIONS = 5;

function showPolicy(store: IamStore, policy: ManagedPolicy): object {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersion,
    AttachmentCount: store.attachments(policy.arn).length,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: new Date(policy.createdAt),
    UpdateDate: new Date(policy.versions.at(-1)?.createdAt ?? policy.createdAt),
    Tags: showTags(policy.tags),
  };
}

function find(store: IamStore, request: AuthenticatedRequest, arn: string): ManagedPolicy {
  authorizeIam(request, 'policy', arn);
  const policy = store.findPolicy(arn);
  if (policy?.accountId !== request.credential.caller.accountId)
    throw noSuchEntity(`Policy ${arn} was not found.`);
  return policy;
}

/** Source: AWS IAM API Reference, "CreatePolicy". */
export function createPolicy(store: IamStore, request: AuthenticatedRequest): object {
  const input = readInput(createSchema, request);
  const { accountId } = request.credential.caller;
  const { PolicyName: name, Path: path = '/', PolicyDocument: document } = input;
  const arn = `arn:aws:iam::${accountId}:policy${path}${name}`;
  authorizeIam(request, 'policy', arn);
  assertPolicy(document, 'identity');
  if (store.findPolicy(arn) !== undefined) throw alreadyExists(`A policy called ${name} already exists.`);
  const policy = store.savePolicy({
    accountId,
    name,
    path,
    arn,
    id: newId('ANPA'),
    createdAt: request.now,
    ...(input.Description === undefined ? {} : { description: input.Description }),
    versions: [{ id: 'v1', document, createdAt: request.now }],
    defaultVersion: 'v1',
    tags: readTags(input.Tags),
  });
  return { Policy: showPolicy(store, policy) };
}

/** Source: AWS IAM API Reference, "GetPolicy". */
export function getPolicy(store: IamStore, request: AuthenticatedRequest): object {
  const { PolicyArn: arn } = readInput(namedSchema, request);
  if (AWS_MANAGED_POLICIES.has(arn)) {
    authorizeIam(request, 'policy', arn);
    return {
      Policy: { PolicyName: arn.split('/').at(-1), Arn: arn, DefaultVersionId: 'v1', IsAttachable: true },
    };
  }
  return { Policy: showPolicy(store, find(store, request, arn)) };
}

/** Source: AWS IAM API Reference, "GetPolicyVersion". */
export function getPolicyVersion(store: IamStore, request: AuthenticatedRequest): object {
  const { PolicyArn: arn, VersionId: id } = readInput(versionSchema, request);
  const policy = find(store, request, arn);
  const version = policy.versions.find((one) => one.id === id);
  if (version === undefined) throw noSuchEntity(`Policy ${arn} version ${id} does not exist.`);
  return {
    PolicyVersion: {
      Document: encodeURIComponent(version.document),
      VersionId: id,
      IsDefaultVersion: id === policy.defaultVersion,
      CreateDate: new Date(version.createdAt),
    },
  };
}

/** Source: AWS IAM API Reference, "CreatePolicyVersion". */
export function createPolicyVersion(store: IamStore, request: AuthenticatedRequest): object {
  const input = readInput(newVersionSchema, request);
  const policy = find(store, request, input.PolicyArn);
  assertPolicy(input.PolicyDocument, 'identity');
  if (policy.versions.length >= MAX_VERSIONS) {
    throw deleteConflict(`A managed policy can have up to ${MAX_VERSIONS} versions.`);
  }
  const number = Math.max(...policy.versions.map(({ id }) => Number(id.slice(1)))) + 1;
  const version = { id: `v${number}`, document: input.PolicyDocument, createdAt: request.now };
  const isDefault = input.SetAsDefault ?? false;
  store.savePolicy({
    ...policy,
    versions: [...policy.versions, version],
    defaultVersion: isDefault ? version.id : policy.defaultVersion,
  });
  return {
    PolicyVersion: { VersionId: version.id, IsDefaultVersion: isDefault, CreateDate: new Date(request.now) },
  };
}

/** Source: AWS IAM API Reference, "DeletePolicyVersion". */
export function deletePolicyVersion(store: IamStore, request: AuthenticatedRequest): undefined {
  const { PolicyArn: arn, VersionId: id } = readInput(versionSchema, request);
  const policy = find(store, request, arn);
  if (id === policy.defaultVersion) throw deleteConflict('Cannot delete the default version of a policy.');
  if (!policy.versions.some((one) => one.id === id)) {
    throw noSuchEntity(`Policy ${arn} version ${id} does not exist.`);
  }
  store.savePolicy({ ...policy, versions: policy.versions.filter((one) => one.id !== id) });
}

/** Source: AWS IAM API Reference, "DeletePolicy". */
export function deletePolicy(store: IamStore, request: AuthenticatedRequest): undefined {
  const { PolicyArn: arn } = readInput(namedSchema, request);
  const policy = find(store, request, arn);
  if (store.attachments(arn).length > 0) {
    throw deleteConflict('Cannot delete a policy attached to entities.');
  }
  store.deletePolicy(policy);
}
