import { CreateStackCommand, DescribeStackEventsCommand } from '@aws-sdk/client-cloudformation';
import { GetRolePolicyCommand } from '@aws-sdk/client-iam';
import { expect, it } from 'vitest';
import { readTemplate } from '../../../deploy/index.ts';
import type { LaunchedInstance } from '../../../local/cloudformation/index.ts';
import { outputsOf, personOf, settled, startAws, type Person } from './cloud.ts';

const create = async (
  { cloudFormation }: Person,
  StackName: string,
  TemplateBody: string,
  parameters: Readonly<Record<string, string | undefined>>,
) => {
  const Parameters = Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
    ParameterKey,
    ParameterValue,
  }));
  const Capabilities = ['CAPABILITY_NAMED_IAM' as const];
  await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody, Parameters, Capabilities }));
};

it('carries out the baseline of a vault and a host: roles, bucket, groups, and an instance that is launched once', async () => {
  const launched: LaunchedInstance[] = [];
  const aws = await startAws({
    instanceHooks: {
      launch: async (instance) => {
        launched.push(instance);
        return await Promise.resolve({ privateIp: '10.0.3.7' });
      },
      terminate: async () => await Promise.resolve(),
    },
  });
  const ann = personOf(aws);
  const failures = async (StackName: string) => {
    const { StackEvents: events = [] } = await ann.cloudFormation.send(
      new DescribeStackEventsCommand({ StackName }),
    );
    return events.flatMap((event) =>
      event.ResourceStatus?.endsWith('_FAILED') === true ? [event.ResourceStatusReason] : [],
    );
  };
  await create(ann, 'acme-test-infrastructure', await readTemplate('infrastructure'), {
    Namespace: 'acme',
    Environment: 'test',
    VpcId: 'vpc-0123456789abcdef0',
    SubnetId: 'subnet-0123456789abcdef0',
    ClientCidr: '10.0.0.0/16',
    PeerCidr: '10.1.0.0/16',
    KmsEndpoint: 'yes',
  });
  const baseline = await settled(aws, ann, 'acme-test-infrastructure');
  expect(await failures('acme-test-infrastructure')).toEqual([]);
  expect(baseline).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  const outputs = outputsOf(baseline);
  const keyArn = 'arn:aws:kms:eu-central-1:999988887777:key/00000000-0000-4000-8000-000000000000';
  await create(ann, 'acme-test-host-1', await readTemplate('host'), {
    NodeName: 'acme-test-node-1',
    RoleName: outputs['RoleName1'],
    InstanceProfileArn: outputs['InstanceProfileArn1'],
    SecurityGroupId: outputs['SecurityGroupId'],
    SubnetId: 'subnet-0123456789abcdef0',
    ImageId: 'ami-0123456789abcdef0',
    KeyArn: keyArn,
  });
  const host = await settled(aws, ann, 'acme-test-host-1');
  expect(await failures('acme-test-host-1')).toEqual([]);
  expect(host).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  expect(launched).toMatchObject([
    {
      instanceId: outputsOf(host)['InstanceId'],
      stackName: 'acme-test-host-1',
      instanceProfile: outputs['InstanceProfileArn1'],
      settings: { ImageId: 'ami-0123456789abcdef0', EnclaveOptions: { Enabled: true } },
    },
  ]);
  expect(outputsOf(host)['PrivateIp']).toBe('10.0.3.7');
  const policy = await ann.iam.send(
    new GetRolePolicyCommand({ RoleName: outputs['RoleName1'], PolicyName: 'attested-use' }),
  );
  expect(decodeURIComponent(policy.PolicyDocument ?? '')).toContain(keyArn);
});
