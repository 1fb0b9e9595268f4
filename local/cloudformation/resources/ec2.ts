import { createHash } from 'node:crypto';
import { AwsServiceError } from '../../aws/plumbing.ts';
import { isObject, type TemplateObject } from '../template/value.ts';
import { providerOf } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import { flagOf, objectIn, textOf } from './values.ts';

/** Instance that a stack has launched. */
export interface LaunchedInstance {
  readonly instanceId: string;
  readonly accountId: string;
  readonly region: string;
  readonly stackId: string;
  readonly stackName: string;
  readonly logicalId: string;
  /** Launch template's data, with the instance's own properties over it. */
  readonly settings: TemplateObject;
  /** ARN or name of the instance profile, where it has one. */
  readonly instanceProfile: string | undefined;
}

/** What makes hosts of instances. */
export interface InstanceHooks {
  /** Makes the host of an instance, once; a repeated call finds the first one's. Returns its address. */
  launch(instance: LaunchedInstance): Promise<{ readonly privateIp: string }>;
  terminate(instanceId: string): Promise<void>;
}

const SERVICE = 'record:ec2';

function idOf(prefix: string, { token }: ResourceContext): string {
  return `${prefix}-${createHash('sha256').update(`id/${token}`).digest('hex').slice(0, 17)}`;
}

function keyOf({ place }: ResourceContext, id: string): string {
  return `${place.accountId}/${place.region}/${id}`;
}

/** `AWS::EC2::LaunchTemplate`: each change of its data is another version. */
const launchTemplate: ResourceProvider = providerOf('AWS::EC2::LaunchTemplate', {
  volatileAttributes: ['LatestVersionNumber'],
  async create(context) {
    const id = idOf('lt', context);
    const data = objectIn(context.properties, 'LaunchTemplateData') ?? {};
    const record = { versions: [data] };
    await context.call(SERVICE, 'Put', { action: 'CreateLaunchTemplate', id: keyOf(context, id), record });
    return { physicalId: id, reference: id, attributes: attributesOf(id, 1) };
  },
  async update(context, { made }) {
    const id = made.physicalId;
    const data = objectIn(context.properties, 'LaunchTemplateData') ?? {};
    const { record } = await context.call(SERVICE, 'Find', { id: keyOf(context, id) });
    const { versions } = record as { readonly versions: readonly TemplateObject[] };
    // A step that is repeated after a crash has added its version already.
    const isThere = context.isRepeated && JSON.stringify(versions.at(-1)) === JSON.stringify(data);
    const all = isThere ? versions : [...versions, data];
    await context.call(SERVICE, 'Put', {
      action: 'CreateLaunchTemplateVersion',
      id: keyOf(context, id),
      record: { versions: all },
    });
    return { physicalId: id, reference: id, attributes: attributesOf(id, all.length) };
  },
  async delete(context, { made }) {
    await context.call(SERVICE, 'Delete', {
      action: 'DeleteLaunchTemplate',
      id: keyOf(context, made.physicalId),
    });
  },
});

function attributesOf(id: string, version: number): TemplateObject {
  return { LaunchTemplateId: id, DefaultVersionNumber: '1', LatestVersionNumber: String(version) };
}

/** Data of the launch template that an instance names. @throws AwsServiceError InvalidLaunchTemplateId.NotFound */
async function templateData(context: ResourceContext): Promise<TemplateObject> {
  const named = objectIn(context.properties, 'LaunchTemplate');
  if (named === undefined) return {};
  const id = textOf(named, 'LaunchTemplateId') ?? '';
  const { record } = await context.call(SERVICE, 'Find', { id: keyOf(context, id) });
  const versions = (record as { readonly versions: readonly TemplateObject[] } | undefined)?.versions;
  const version = textOf(named, 'Version') ?? '1';
  const data =
    versions?.[
      version === '$Latest' ? versions.length - 1 : version === '$Default' ? 0 : Number(version) - 1
    ];
  if (data === undefined) {
    throw new AwsServiceError('InvalidLaunchTemplateId.NotFound', `There is no version ${version} of ${id}`);
  }
  return data;
}

/** Makes the provider of `AWS::EC2::Instance`. */
function instanceProvider(hooks: InstanceHooks): ResourceProvider {
  return providerOf('AWS::EC2::Instance', {
    async create(context) {
      const { properties, place } = context;
      const { LaunchTemplate: _named, ...own } = properties;
      const settings = { ...(await templateData(context)), ...own };
      const profile = settings['IamInstanceProfile'];
      const instanceProfile = isObject(profile)
        ? (textOf(profile, 'Arn') ?? textOf(profile, 'Name'))
        : textOf(settings, 'IamInstanceProfile');
      if (instanceProfile !== undefined) await assertProfile(context, instanceProfile);
      const id = idOf('i', context);
      await context.call(SERVICE, 'Put', {
        action: 'RunInstances',
        id: keyOf(context, id),
        record: settings,
      });
      const { privateIp } = await hooks.launch({
        instanceId: id,
        accountId: place.accountId,
        region: place.region,
        stackId: place.stackId,
        stackName: place.stackName,
        logicalId: context.logicalId,
        settings,
        instanceProfile,
      });
      return {
        physicalId: id,
        reference: id,
        attributes: {
          InstanceId: id,
          PrivateIp: privateIp,
          PrivateDnsName: `ip-${privateIp.replaceAll('.', '-')}.${place.region}.compute.internal`,
          PublicIp: '',
          PublicDnsName: '',
          AvailabilityZone: `${place.region}a`,
          VpcId: '',
        },
      };
    },
    async update(context, { made }) {
      const { LaunchTemplate: _named, ...own } = context.properties;
      const record = { ...(await templateData(context)), ...own };
      const id = keyOf(context, made.physicalId);
      await context.call(SERVICE, 'Put', { action: 'ModifyInstanceAttribute', id, record });
      return made;
    },
    async delete(context, { made, properties }) {
      if (flagOf(properties, 'DisableApiTermination') === true) {
        throw new AwsServiceError(
          'OperationNotPermitted',
          `The instance '${made.physicalId}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
        );
      }
      await hooks.terminate(made.physicalId);
      await context.call(SERVICE, 'Delete', {
        action: 'TerminateInstances',
        id: keyOf(context, made.physicalId),
      });
    },
  });
}

/** Asserts that an instance profile is there; whether its role may be passed was asked when it was put in. */
async function assertProfile(context: ResourceContext, arnOrName: string): Promise<void> {
  const name = arnOrName.split('/').at(-1);
  try {
    await context.call('iam', 'GetInstanceProfile', { InstanceProfileName: name });
  } catch (error) {
    if (!(error instanceof AwsServiceError) || error.code !== 'NoSuchEntity') throw error;
    throw new AwsServiceError(
      'InvalidParameterValue',
      `Value (${arnOrName}) for parameter iamInstanceProfile is invalid. Invalid IAM Instance Profile`,
    );
  }
}

/** Hooks without hosts: each instance has an address of its own, and nothing runs. */
const NO_HOSTS: InstanceHooks = {
  launch: async ({ instanceId }) => {
    const [a = 0, b = 0] = createHash('sha256').update(instanceId).digest();
    return await Promise.resolve({ privateIp: `10.0.${a}.${b}` });
  },
  terminate: async () => {
    await Promise.resolve();
  },
};

/** Makes the providers of EC2 whose resources are more than records. */
export function ec2Providers(hooks: InstanceHooks = NO_HOSTS): Readonly<Record<string, ResourceProvider>> {
  return { 'AWS::EC2::Instance': instanceProvider(hooks), 'AWS::EC2::LaunchTemplate': launchTemplate };
}
