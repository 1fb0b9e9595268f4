import { z } from 'zod';
import { AwsServiceError, type AuthenticatedRequest } from '../aws/plumbing.ts';
import { assertAllowed } from '../aws/authorization.ts';
import { authorizeIam, readInput } from './authorize.ts';
import {
  alreadyExists,
  deleteConflict,
  newId,
  noSuchEntity,
  type IamStore,
  type InstanceProfile,
} from './iam-store.ts';
import { nameSchema, pathSchema, readTags, showRole, showTags, tagsSchema } from './roles.ts';

const named = z.object({ InstanceProfileName: nameSchema.max(128) });
const createSchema = named.extend({ Path: pathSchema, Tags: tagsSchema });
const roleSchema = named.extend({ RoleName: nameSchema });

function showProfile(store: IamStore, profile: InstanceProfile): object {
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: profile.arn,
    CreateDate: new Date(profile.createdAt),
    Roles: profile.roles.map((name) => showRole(store.getRole(profile.accountId, name))),
    Tags: showTags(profile.tags),
  };
}

function find(store: IamStore, request: AuthenticatedRequest, name: string): InstanceProfile {
  const profile = store.findProfile(request.credential.caller.accountId, name);
  authorizeIam(request, 'instance-profile', profile?.arn ?? `/${name}`);
  if (profile === undefined) throw noSuchEntity(`Instance Profile ${name} cannot be found.`);
  return profile;
}

/** Source: AWS IAM API Reference, "CreateInstanceProfile". */
export function createInstanceProfile(store: IamStore, request: AuthenticatedRequest): object {
  const { InstanceProfileName: name, Path: path = '/', Tags: tags } = readInput(createSchema, request);
  const { accountId } = request.credential.caller;
  authorizeIam(request, 'instance-profile', `${path}${name}`);
  if (store.findProfile(accountId, name) !== undefined) {
    throw alreadyExists(`Instance Profile ${name} already exists.`);
  }
  const profile = store.saveProfile({
    accountId,
    name,
    path,
    arn: `arn:aws:iam::${accountId}:instance-profile${path}${name}`,
    id: newId('AIPA'),
    createdAt: request.now,
    roles: [],
    tags: readTags(tags),
  });
  return { InstanceProfile: showProfile(store, profile) };
}

/** Source: AWS IAM API Reference, "GetInstanceProfile". */
export function getInstanceProfile(store: IamStore, request: AuthenticatedRequest): object {
  const profile = find(store, request, readInput(named, request).InstanceProfileName);
  return { InstanceProfile: showProfile(store, profile) };
}

/** Source: AWS IAM API Reference, "AddRoleToInstanceProfile". The caller has to be allowed to pass the role, too. */
export function addRoleToInstanceProfile(store: IamStore, request: AuthenticatedRequest): undefined {
  const { InstanceProfileName: name, RoleName: roleName } = readInput(roleSchema, request);
  const profile = find(store, request, name);
  const role = store.getRole(profile.accountId, roleName);
  assertAllowed(request, {
    action: 'iam:PassRole',
    resource: role.arn,
    keys: { 'iam:PassedToService': 'ec2.amazonaws.com' },
  });
  if (profile.roles.length > 0) {
    throw new AwsServiceError(
      'LimitExceeded',
      'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1',
      409,
    );
  }
  store.saveProfile({ ...profile, roles: [role.name] });
}

/** Source: AWS IAM API Reference, "RemoveRoleFromInstanceProfile". */
export function removeRoleFromInstanceProfile(store: IamStore, request: AuthenticatedRequest): undefined {
  const { InstanceProfileName: name, RoleName: roleName } = readInput(roleSchema, request);
  const profile = find(store, request, name);
  if (!profile.roles.includes(roleName)) {
    throw noSuchEntity(`Role ${roleName} in Instance Profile ${name} cannot be found.`);
  }
  store.saveProfile({ ...profile, roles: [] });
}

/** Source: AWS IAM API Reference, "DeleteInstanceProfile". */
export function deleteInstanceProfile(store: IamStore, request: AuthenticatedRequest): undefined {
  const profile = find(store, request, readInput(named, request).InstanceProfileName);
  if (profile.roles.length > 0) {
    throw deleteConflict('Cannot delete entity, must remove roles from instance profile first.');
  }
  store.deleteProfile(profile);
}
