import type { PrincipalDirectory } from '../aws/directory.ts';
import type { AuthenticatedRequest, QueryService, StateStore } from '../aws/plumbing.ts';
import { IamStore } from './iam-store.ts';
import * as profiles from './instance-profiles.ts';
import * as policies from './policies.ts';
import * as roles from './roles.ts';

const OPERATIONS: Readonly<Record<string, (store: IamStore, request: AuthenticatedRequest) => unknown>> = {
  AddRoleToInstanceProfile: profiles.addRoleToInstanceProfile,
  AttachRolePolicy: roles.attachRolePolicy,
  CreateInstanceProfile: profiles.createInstanceProfile,
  CreatePolicy: policies.createPolicy,
  CreatePolicyVersion: policies.createPolicyVersion,
  CreateRole: roles.createRole,
  DeleteInstanceProfile: profiles.deleteInstanceProfile,
  DeletePolicy: policies.deletePolicy,
  DeletePolicyVersion: policies.deletePolicyVersion,
  DeleteRole: roles.deleteRole,
  DeleteRolePolicy: roles.deleteRolePolicy,
  DetachRolePolicy: roles.detachRolePolicy,
  GetInstanceProfile: profiles.getInstanceProfile,
  GetPolicy: policies.getPolicy,
  GetPolicyVersion: policies.getPolicyVersion,
  GetRole: roles.getRole,
  GetRolePolicy: roles.getRolePolicy,
  ListAttachedRolePolicies: roles.listAttachedRolePolicies,
  ListRolePolicies: roles.listRolePolicies,
  PutRolePolicy: roles.putRolePolicy,
  RemoveRoleFromInstanceProfile: profiles.removeRoleFromInstanceProfile,
  TagRole: roles.tagRole,
  UntagRole: roles.untagRole,
  UpdateAssumeRolePolicy: roles.updateAssumeRolePolicy,
  UpdateRole: roles.updateRole,
};

export interface IamOptions {
  readonly state: StateStore;
  readonly directory: PrincipalDirectory;
}

/** Creates AWS IAM as far as templates use it; what its requests make is kept, and the directory knows it. */
export function createIamService({ state, directory }: IamOptions): QueryService {
  const store = new IamStore(state, directory);
  return {
    protocol: 'query',
    name: 'iam',
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations: Object.fromEntries(
      Object.entries(OPERATIONS).map(([name, operation]) => [name, (request) => operation(store, request)]),
    ),
  };
}
