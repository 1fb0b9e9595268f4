import {
  ContinueUpdateRollbackCommand,
  CreateStackCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms';
import { beforeEach, expect, it } from 'vitest';
import { applyStack, inspectStack } from '../../../admin/vault/steps/stack/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { personOf, refused, settled, startAws, type Person } from './cloud.ts';
import { stepContextOf } from './step-context.ts';

const StackName = 'acme-production-node-1';
const ROOT_POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:root' } },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
};
const key = (Description: string) => ({
  Type: 'AWS::KMS::Key',
  Properties: { Description, KeyPolicy: ROOT_POLICY },
});
const template = (Description: string, more: object = {}) =>
  JSON.stringify({ Resources: { Key: key(Description), ...more } });
/** Fails once the key has its new description, and somebody has the key deleted meanwhile. */
const HOST = {
  Host: {
    Type: 'AWS::EC2::Instance',
    DependsOn: 'Key',
    Properties: { ImageId: 'ami-0123456789abcdef0', InstanceType: 'm6i.xlarge' },
  },
};

let aws: LocalAws;
let ann: Person;

beforeEach(async () => {
  aws = await startAws({
    instanceHooks: {
      launch: async () => {
        await ann.kms.send(new ScheduleKeyDeletionCommand({ KeyId: await keyId(), PendingWindowInDays: 7 }));
        throw new Error('no such image');
      },
      terminate: async () => await Promise.resolve(),
    },
  });
  ann = personOf(aws);
  await ann.cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody: template('first') }));
  await settled(aws, ann, StackName);
  await ann.cloudFormation.send(
    new UpdateStackCommand({ StackName, TemplateBody: template('second', HOST) }),
  );
});

async function keyId(): Promise<string | undefined> {
  return (await ann.kms.send(new ListKeysCommand({}))).Keys?.[0]?.KeyId;
}

const describeKey = async () =>
  (await ann.kms.send(new DescribeKeyCommand({ KeyId: await keyId() }))).KeyMetadata;
const goOn = async () => await ann.cloudFormation.send(new ContinueUpdateRollbackCommand({ StackName }));

it('a roll back that failed takes no update, and is continued once its cause is mended', async () => {
  expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_FAILED' });
  const update = ann.cloudFormation.send(
    new UpdateStackCommand({ StackName, TemplateBody: template('third') }),
  );
  expect(await refused(update)).toMatchObject({ name: 'ValidationError' });
  const { StackResources: resources = [] } = await ann.cloudFormation.send(
    new DescribeStackResourcesCommand({ StackName }),
  );
  expect(resources.find(({ LogicalResourceId: id }) => id === 'Key')?.ResourceStatus).toBe('UPDATE_FAILED');
  await goOn();
  expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_FAILED' });
  await ann.kms.send(new CancelKeyDeletionCommand({ KeyId: await keyId() }));
  await goOn();
  expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(await describeKey()).toMatchObject({ Description: 'first' });
  expect(await refused(goOn())).toMatchObject({ name: 'ValidationError' });
  await ann.cloudFormation.send(new UpdateStackCommand({ StackName, TemplateBody: template('third') }));
  expect(await settled(aws, ann, StackName)).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
});

it('a step of a vault refuses such a stack by name, changes nothing of it, and goes on after it was mended', async () => {
  await settled(aws, ann, StackName);
  const context = stepContextOf(aws, ann);
  const order = {
    name: StackName,
    region: 'eu-central-1',
    template: template('third'),
    policy: JSON.stringify({
      Statement: [{ Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' }],
    }),
    parameters: {},
  };
  for (const act of [inspectStack, applyStack]) {
    const refusal = (await act(order, context).catch((error: unknown) => error)) as {
      code: string;
      details: { resources: readonly string[] };
    };
    expect(refusal).toMatchObject({ code: 'VAULT_STACK_ROLLBACK_FAILED' });
    expect(refusal.details.resources).toContainEqual(expect.stringMatching(/^Key: ./));
  }
  expect(await describeKey()).toMatchObject({ Description: 'second', KeyState: 'PendingDeletion' });
  await ann.kms.send(new CancelKeyDeletionCommand({ KeyId: await keyId() }));
  await goOn();
  await settled(aws, ann, StackName);
  expect(await applyStack(order, context)).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  expect(await describeKey()).toMatchObject({ Description: 'third' });
});
