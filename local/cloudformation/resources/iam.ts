import { AwsServiceError } from '../../aws/plumbing.ts';
import { NOT_UPDATABLE } from '../stacks/failure.ts';
import type { Made } from '../stacks/stack-record.ts';
import { isObject, type TemplateObject } from '../template/value.ts';
import { providerOf } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import {
  documentOf,
  invalid,
  isRefusal,
  listOf,
  neededText,
  numberOf,
  tagsOf,
  textOf,
  textsOf,
} from './values.ts';

const listTags = (tags: Readonly<Record<string, string>>): object[] =>
  Object.entries(tags)
    // Tags of AWS's own are not the caller's to set.
    .filter(([name]) => !name.startsWith('aws:'))
    .map(([Key, Value]) => ({ Key, Value }));

/** Inline policies of a role by name. */
function inlineOf(properties: TemplateObject): Map<string, string> {
  return new Map(
    listOf(properties, 'Policies').map((policy) => {
      if (!isObject(policy)) throw invalid('Policies', 'List of Policy');
      return [neededText(policy, 'PolicyName'), documentOf(policy, 'PolicyDocument') ?? ''];
    }),
  );
}

/** `AWS::IAM::Role`. */
const role: ResourceProvider = providerOf('AWS::IAM::Role', {
  async create(context) {
    const { properties } = context;
    assertNoBoundary(properties);
    const name = textOf(properties, 'RoleName') ?? context.uniqueName(64);
    try {
      await context.call('iam', 'CreateRole', {
        RoleName: name,
        Path: textOf(properties, 'Path'),
        AssumeRolePolicyDocument: documentOf(properties, 'AssumeRolePolicyDocument'),
        Description: textOf(properties, 'Description'),
        MaxSessionDuration: numberOf(properties, 'MaxSessionDuration'),
        Tags: listTags(tagsOf(properties, context.tags)),
      });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'EntityAlreadyExists')) throw error;
    }
    try {
      await setPolicies(context, name, {});
    } catch (error) {
      // A role whose policies could not be put is nobody's.
      await removeRole(context, name, properties).catch(() => undefined);
      throw error;
    }
    return await describeRole(context, name);
  },
  async update(context, { made, properties: before }) {
    const { properties } = context;
    assertNoBoundary(properties);
    const { physicalId: name } = made;
    const trust = documentOf(properties, 'AssumeRolePolicyDocument');
    if (trust !== documentOf(before, 'AssumeRolePolicyDocument')) {
      await context.call('iam', 'UpdateAssumeRolePolicy', { RoleName: name, PolicyDocument: trust });
    }
    const described = ['Description', 'MaxSessionDuration'].some(
      (member) => textOf(properties, member) !== textOf(before, member),
    );
    if (described) {
      await context.call('iam', 'UpdateRole', {
        RoleName: name,
        Description: textOf(properties, 'Description') ?? '',
        MaxSessionDuration: numberOf(properties, 'MaxSessionDuration'),
      });
    }
    await setPolicies(context, name, before);
    await context.call('iam', 'TagRole', {
      RoleName: name,
      Tags: listTags(tagsOf(properties, context.tags)),
    });
    return made;
  },
  async delete(context, { made, properties }) {
    await removeRole(context, made.physicalId, properties);
  },
});

/** Refuses a boundary, which would have to count and does not. */
function assertNoBoundary(properties: TemplateObject): void {
  if (properties['PermissionsBoundary'] === undefined) return;
  throw new AwsServiceError(NOT_UPDATABLE, 'PermissionsBoundary is unknown to this stand-in');
}

async function setPolicies(context: ResourceContext, name: string, before: TemplateObject): Promise<void> {
  const [inline, old] = [inlineOf(context.properties), inlineOf(before)];
  for (const [PolicyName, PolicyDocument] of inline) {
    if (old.get(PolicyName) === PolicyDocument) continue;
    await context.call('iam', 'PutRolePolicy', { RoleName: name, PolicyName, PolicyDocument });
  }
  for (const PolicyName of old.keys()) {
    if (!inline.has(PolicyName))
      await ignoreGone(context.call('iam', 'DeleteRolePolicy', { RoleName: name, PolicyName }));
  }
  const [attached, attachedBefore] = [
    textsOf(context.properties, 'ManagedPolicyArns'),
    textsOf(before, 'ManagedPolicyArns'),
  ];
  for (const PolicyArn of attached.filter((arn) => !attachedBefore.includes(arn))) {
    await context.call('iam', 'AttachRolePolicy', { RoleName: name, PolicyArn });
  }
  for (const PolicyArn of attachedBefore.filter((arn) => !attached.includes(arn))) {
    await ignoreGone(context.call('iam', 'DetachRolePolicy', { RoleName: name, PolicyArn }));
  }
}

async function removeRole(context: ResourceContext, name: string, properties: TemplateObject): Promise<void> {
  for (const PolicyName of inlineOf(properties).keys()) {
    await ignoreGone(context.call('iam', 'DeleteRolePolicy', { RoleName: name, PolicyName }));
  }
  for (const PolicyArn of textsOf(properties, 'ManagedPolicyArns')) {
    await ignoreGone(context.call('iam', 'DetachRolePolicy', { RoleName: name, PolicyArn }));
  }
  await ignoreGone(context.call('iam', 'DeleteRole', { RoleName: name }));
}

async function describeRole(context: ResourceContext, name: string): Promise<Made> {
  const { Role: found } = await context.call('iam', 'GetRole', { RoleName: name });
  const { Arn, RoleId } = found as { readonly Arn: string; readonly RoleId: string };
  return { physicalId: name, reference: name, attributes: { Arn, RoleId } };
}

async function ignoreGone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRefusal(error, 'NoSuchEntity')) throw error;
  }
}

/** `AWS::IAM::RolePolicy`: one inline policy of one role. */
const rolePolicy: ResourceProvider = providerOf('AWS::IAM::RolePolicy', {
  async create(context) {
    const [roleName, name] = [
      neededText(context.properties, 'RoleName'),
      neededText(context.properties, 'PolicyName'),
    ];
    await putPolicy(context, roleName, name);
    const id = `${name}|${roleName}`;
    return { physicalId: id, reference: id, attributes: {} };
  },
  async update(context, { made, properties: before }) {
    await putPolicy(context, neededText(before, 'RoleName'), neededText(before, 'PolicyName'));
    return made;
  },
  async delete(context, { properties }) {
    await ignoreGone(
      context.call('iam', 'DeleteRolePolicy', {
        RoleName: neededText(properties, 'RoleName'),
        PolicyName: neededText(properties, 'PolicyName'),
      }),
    );
  },
});

async function putPolicy(context: ResourceContext, roleName: string, name: string): Promise<void> {
  await context.call('iam', 'PutRolePolicy', {
    RoleName: roleName,
    PolicyName: name,
    PolicyDocument: documentOf(context.properties, 'PolicyDocument'),
  });
}

/** `AWS::IAM::Policy`: one inline policy of several roles. */
const policy: ResourceProvider = providerOf('AWS::IAM::Policy', {
  async create(context) {
    const name = neededText(context.properties, 'PolicyName');
    const roles = rolesOf(context.properties);
    for (const roleName of roles) await putPolicy(context, roleName, name);
    const id = context.uniqueName(128);
    return { physicalId: id, reference: name, attributes: { Id: id } };
  },
  async update(context, { made, properties: before }) {
    const name = neededText(context.properties, 'PolicyName');
    const oldName = neededText(before, 'PolicyName');
    const roles = rolesOf(context.properties);
    for (const roleName of roles) await putPolicy(context, roleName, name);
    for (const roleName of rolesOf(before)) {
      if (roles.includes(roleName) && oldName === name) continue;
      await ignoreGone(context.call('iam', 'DeleteRolePolicy', { RoleName: roleName, PolicyName: oldName }));
    }
    return { ...made, reference: name };
  },
  async delete(context, { properties }) {
    for (const roleName of rolesOf(properties)) {
      const PolicyName = neededText(properties, 'PolicyName');
      await ignoreGone(context.call('iam', 'DeleteRolePolicy', { RoleName: roleName, PolicyName }));
    }
  },
});

function rolesOf(properties: TemplateObject): string[] {
  const others = [...textsOf(properties, 'Users'), ...textsOf(properties, 'Groups')];
  if (others.length > 0) throw invalid('Users', 'roles alone are known to this stand-in');
  return textsOf(properties, 'Roles');
}

/** `AWS::IAM::ManagedPolicy`. */
const managedPolicy: ResourceProvider = providerOf('AWS::IAM::ManagedPolicy', {
  volatileAttributes: ['AttachmentCount', 'DefaultVersionId', 'UpdateDate'],
  async create(context) {
    const { properties, place } = context;
    const name = textOf(properties, 'ManagedPolicyName') ?? context.uniqueName(128);
    const arn = `arn:aws:iam::${place.accountId}:policy${textOf(properties, 'Path') ?? '/'}${name}`;
    try {
      await context.call('iam', 'CreatePolicy', {
        PolicyName: name,
        Path: textOf(properties, 'Path'),
        Description: textOf(properties, 'Description'),
        PolicyDocument: documentOf(properties, 'PolicyDocument'),
        Tags: listTags(tagsOf(properties, context.tags)),
      });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'EntityAlreadyExists')) throw error;
    }
    for (const RoleName of rolesOf(properties))
      await context.call('iam', 'AttachRolePolicy', { RoleName, PolicyArn: arn });
    return describePolicy(arn, 'v1');
  },
  async update(context, { made, properties: before }) {
    const { properties } = context;
    const arn = made.physicalId;
    const document = documentOf(properties, 'PolicyDocument');
    let version = neededText(made.attributes, 'DefaultVersionId');
    if (document !== documentOf(before, 'PolicyDocument')) {
      const old = version;
      const { PolicyVersion: added } = await context.call('iam', 'CreatePolicyVersion', {
        PolicyArn: arn,
        PolicyDocument: document,
        SetAsDefault: 'true',
      });
      version = (added as { readonly VersionId: string }).VersionId;
      await context.call('iam', 'DeletePolicyVersion', { PolicyArn: arn, VersionId: old });
    }
    const [roles, rolesBefore] = [rolesOf(properties), rolesOf(before)];
    for (const RoleName of roles) await context.call('iam', 'AttachRolePolicy', { RoleName, PolicyArn: arn });
    for (const RoleName of rolesBefore.filter((name) => !roles.includes(name))) {
      await ignoreGone(context.call('iam', 'DetachRolePolicy', { RoleName, PolicyArn: arn }));
    }
    return describePolicy(arn, version);
  },
  async delete(context, { made, properties }) {
    for (const RoleName of rolesOf(properties)) {
      await ignoreGone(context.call('iam', 'DetachRolePolicy', { RoleName, PolicyArn: made.physicalId }));
    }
    await ignoreGone(context.call('iam', 'DeletePolicy', { PolicyArn: made.physicalId }));
  },
});

function describePolicy(arn: string, version: string): Made {
  return { physicalId: arn, reference: arn, attributes: { PolicyArn: arn, DefaultVersionId: version } };
}

/** `AWS::IAM::InstanceProfile`. */
const instanceProfile: ResourceProvider = providerOf('AWS::IAM::InstanceProfile', {
  async create(context) {
    const { properties, place } = context;
    const name = textOf(properties, 'InstanceProfileName') ?? context.uniqueName(128);
    const path = textOf(properties, 'Path') ?? '/';
    try {
      await context.call('iam', 'CreateInstanceProfile', { InstanceProfileName: name, Path: path });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'EntityAlreadyExists')) throw error;
    }
    const made = {
      physicalId: name,
      reference: name,
      attributes: { Arn: `arn:aws:iam::${place.accountId}:instance-profile${path}${name}` },
    };
    try {
      await setRoles(context, name, []);
    } catch (error) {
      await ignoreGone(context.call('iam', 'DeleteInstanceProfile', { InstanceProfileName: name })).catch(
        () => undefined,
      );
      throw error;
    }
    return made;
  },
  async update(context, { made, properties: before }) {
    await setRoles(context, made.physicalId, textsOf(before, 'Roles'));
    return made;
  },
  async delete(context, { made, properties }) {
    const InstanceProfileName = made.physicalId;
    for (const RoleName of textsOf(properties, 'Roles')) {
      await ignoreGone(
        context.call('iam', 'RemoveRoleFromInstanceProfile', { InstanceProfileName, RoleName }),
      );
    }
    await ignoreGone(context.call('iam', 'DeleteInstanceProfile', { InstanceProfileName }));
  },
});

async function setRoles(context: ResourceContext, name: string, before: readonly string[]): Promise<void> {
  const roles = textsOf(context.properties, 'Roles');
  for (const RoleName of before.filter((one) => !roles.includes(one))) {
    const gone = context.call('iam', 'RemoveRoleFromInstanceProfile', {
      InstanceProfileName: name,
      RoleName,
    });
    await ignoreGone(gone);
  }
  for (const RoleName of roles.filter((one) => !before.includes(one))) {
    try {
      await context.call('iam', 'AddRoleToInstanceProfile', { InstanceProfileName: name, RoleName });
    } catch (error) {
      if (!context.isRepeated || !isRefusal(error, 'LimitExceeded')) throw error;
    }
  }
}

/** Providers of AWS IAM. */
export const IAM_PROVIDERS = {
  'AWS::IAM::InstanceProfile': instanceProfile,
  'AWS::IAM::ManagedPolicy': managedPolicy,
  'AWS::IAM::Policy': policy,
  'AWS::IAM::Role': role,
  'AWS::IAM::RolePolicy': rolePolicy,
};
