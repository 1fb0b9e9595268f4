import { createHash } from 'node:crypto';
import { AwsServiceError } from '../../aws/plumbing.ts';
import type { Made } from '../stacks/stack-record.ts';
import type { TemplateObject, TemplateValue } from '../template/value.ts';
import { providerOf, type ResourceType } from './facts.ts';
import type { ResourceContext, ResourceProvider } from './provider.ts';
import { neededText, textOf } from './values.ts';

/** Resources that are records here: they have ids and attributes, and nothing happens by them. */
interface RecordKind {
  /** Service whose permissions decide. */
  readonly service: string;
  /** Permissions for making, changing and deleting. */
  readonly actions: readonly [create: string, update: string, remove: string];
  readonly identify: (context: ResourceContext) => string;
  readonly attributes: (id: string, context: ResourceContext) => TemplateObject;
  /** Value of `Ref`, where it is not the id. */
  readonly refer?: (id: string, context: ResourceContext) => string;
}

/** Id as EC2 makes them, the same for a repeated step. */
function idOf(prefix: string, { token }: Pick<ResourceContext, 'token'>): string {
  return `${prefix}-${createHash('sha256').update(`id/${token}`).digest('hex').slice(0, 17)}`;
}

const named =
  (property: string, maxLength: number) =>
  (context: ResourceContext): string =>
    textOf(context.properties, property) ?? context.uniqueName(maxLength);
const arn = (service: string, { place }: ResourceContext, rest: string): string =>
  `arn:aws:${service}:${place.region}:${place.accountId}:${rest}`;

const RECORDS: Readonly<Partial<Record<ResourceType, RecordKind>>> = {
  'AWS::EC2::SecurityGroup': {
    service: 'ec2',
    actions: ['CreateSecurityGroup', 'AuthorizeSecurityGroupIngress', 'DeleteSecurityGroup'],
    identify: (context) => idOf('sg', context),
    attributes: (id, { properties }) => ({ GroupId: id, Id: id, VpcId: textOf(properties, 'VpcId') ?? '' }),
  },
  'AWS::EC2::SecurityGroupIngress': {
    service: 'ec2',
    actions: [
      'AuthorizeSecurityGroupIngress',
      'UpdateSecurityGroupRuleDescriptionsIngress',
      'RevokeSecurityGroupIngress',
    ],
    identify: (context) => idOf('sgr', context),
    attributes: (id) => ({ Id: id }),
  },
  'AWS::EC2::SecurityGroupEgress': {
    service: 'ec2',
    actions: [
      'AuthorizeSecurityGroupEgress',
      'UpdateSecurityGroupRuleDescriptionsEgress',
      'RevokeSecurityGroupEgress',
    ],
    identify: (context) => idOf('sgr', context),
    attributes: (id) => ({ Id: id }),
  },
  'AWS::EC2::VPCEndpoint': {
    service: 'ec2',
    actions: ['CreateVpcEndpoint', 'ModifyVpcEndpoint', 'DeleteVpcEndpoints'],
    identify: (context) => idOf('vpce', context),
    attributes: (id, { now }) => ({
      Id: id,
      CreationTimestamp: new Date(now).toISOString(),
      DnsEntries: [],
      NetworkInterfaceIds: [],
    }),
  },
  'AWS::Logs::LogGroup': {
    service: 'logs',
    actions: ['CreateLogGroup', 'PutRetentionPolicy', 'DeleteLogGroup'],
    identify: named('LogGroupName', 512),
    attributes: (id, context) => ({ Arn: arn('logs', context, `log-group:${id}:*`) }),
  },
  'AWS::Logs::MetricFilter': {
    service: 'logs',
    actions: ['PutMetricFilter', 'PutMetricFilter', 'DeleteMetricFilter'],
    identify: named('FilterName', 512),
    attributes: () => ({}),
  },
  'AWS::CloudWatch::Alarm': {
    service: 'cloudwatch',
    actions: ['PutMetricAlarm', 'PutMetricAlarm', 'DeleteAlarms'],
    identify: named('AlarmName', 255),
    attributes: (id, context) => ({ Arn: arn('cloudwatch', context, `alarm:${id}`) }),
  },
  'AWS::SNS::Topic': {
    service: 'sns',
    actions: ['CreateTopic', 'SetTopicAttributes', 'DeleteTopic'],
    identify: (context) => arn('sns', context, named('TopicName', 256)(context)),
    attributes: (id) => ({ TopicArn: id }),
  },
  'AWS::SSM::Document': {
    service: 'ssm',
    actions: ['CreateDocument', 'UpdateDocument', 'DeleteDocument'],
    identify: named('Name', 128),
    attributes: () => ({}),
  },
  'AWS::SSM::Parameter': {
    service: 'ssm',
    actions: ['PutParameter', 'PutParameter', 'DeleteParameter'],
    identify: named('Name', 1011),
    attributes: (id, context) => ({
      Arn: arn('ssm', context, `parameter${id.startsWith('/') ? '' : '/'}${id}`),
      Type: neededText(context.properties, 'Type'),
      Value: neededText(context.properties, 'Value'),
    }),
  },
};

function recordProvider(type: ResourceType, kind: RecordKind): ResourceProvider {
  const [create, update, remove] = kind.actions;
  const service = `record:${kind.service}`;
  const make = (id: string, context: ResourceContext): Made => ({
    physicalId: id,
    reference: kind.refer?.(id, context) ?? id,
    attributes: kind.attributes(id, context),
  });
  const keyOf = (id: string, { place }: ResourceContext): string =>
    `${place.accountId}/${place.region}/${type}/${id}`;
  const put = async (action: string, id: string, context: ResourceContext): Promise<Made> => {
    const record: TemplateValue = { type, id, properties: context.properties };
    await context.call(service, 'Put', { action, id: keyOf(id, context), record });
    return make(id, context);
  };
  return providerOf(type, {
    async create(context) {
      const id = kind.identify(context);
      const found = await context.call(service, 'Find', { id: keyOf(id, context) });
      if (found['record'] !== undefined && !context.isRepeated) {
        throw new AwsServiceError(
          'AlreadyExists',
          `Resource of type '${type}' with identifier '${id}' already exists.`,
        );
      }
      return await put(create, id, context);
    },
    update: async (context, { made }) => await put(update, made.physicalId, context),
    delete: async (context, { made }) => {
      await context.call(service, 'Delete', { action: remove, id: keyOf(made.physicalId, context) });
    },
  });
}

/** Names of the services whose resources are records. */
export const RECORD_SERVICES = ['ec2', 'logs', 'cloudwatch', 'sns', 'ssm'] as const;

/** Providers of resources that are records. */
export const RECORD_PROVIDERS: Readonly<Record<string, ResourceProvider>> = Object.fromEntries(
  Object.entries(RECORDS).map(([type, kind]) => [type, recordProvider(type as ResourceType, kind)]),
);
