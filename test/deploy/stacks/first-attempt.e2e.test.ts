import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { GetRoleCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { applyStack, inspectStack, type StackOrder } from '../../../admin/vault/steps/stack/index.ts';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import {
  ACCOUNT,
  outputsOf,
  personOf,
  refused,
  REGION,
  startAws,
  type Person,
} from '../../local/cloudformation/cloud.ts';
import { orderOf, stepContextOf } from '../../local/cloudformation/step-context.ts';

const NODE = {
  Namespace: 'acme',
  Environment: 'production',
  NodeIndex: '1',
  WalletAccountId: '444455556666',
  AdminArns: `arn:aws:iam::${ACCOUNT}:user/ann`,
};
const BASELINE = {
  Namespace: 'acme',
  Environment: 'production',
  VpcId: 'vpc-0123456789abcdef0',
  SubnetId: 'subnet-0123456789abcdef0',
  ClientCidr: '10.0.0.0/16',
  PeerCidr: '10.1.0.0/16',
};

let aws: LocalAws;
beforeEach(async () => {
  aws = await startAws();
});

/** Ann, to whom something is denied that a stack needs. */
function deniedPerson(statement: object): Person {
  const denial = { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Resource: '*', ...statement }] };
  return personOf(aws, { policies: [ADMINISTRATOR_POLICY, JSON.stringify(denial)] });
}

/** Has a first attempt fail, and another person of the same name, to whom nothing is denied, go on. */
async function failAndMend(order: StackOrder, denial: object, resource: string) {
  const failed = await applyStack(order, stepContextOf(aws, deniedPerson(denial))).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: 'VAULT_STACK_FAILED', details: { cause: { resource } } });
  const ann = personOf(aws);
  const context = stepContextOf(aws, ann);
  expect(await inspectStack(order, context)).toMatchObject({ kind: 'empty' });
  const stack = await applyStack(order, context);
  expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  expect(await inspectStack(order, context)).toMatchObject({ kind: 'same' });
  return { ann, outputs: outputsOf(stack) };
}

describe('a first attempt that failed', () => {
  it.each([
    [
      'a Region that has no key for signing',
      { Action: 'kms:CreateKey', Condition: { StringEquals: { 'kms:KeySpec': 'ECC_NIST_EDWARDS25519' } } },
      'SigningKey',
    ],
    ['a function that may not be made', { Action: 'lambda:CreateFunction' }, 'PopulateSecretFunction'],
  ])(
    'of a node leaves nothing in the way of the next, but keys that nobody has used: %s',
    async (_what, denial, resource) => {
      const reader = aws.directory.defineRole({ accountId: '444455556666', roleName: 'gateway' });
      const order = await orderOf('node', { ...NODE, GatewayReaderArn: reader });
      const { ann, outputs } = await failAndMend(order, denial, resource);

      const { Keys: keys = [] } = await ann.kms.send(new ListKeysCommand({}));
      const states = await Promise.all(
        keys.map(async ({ KeyArn }) => {
          const { KeyMetadata: key } = await ann.kms.send(new DescribeKeyCommand({ KeyId: KeyArn }));
          return [key?.KeyState, key?.KeySpec, key?.PendingDeletionWindowInDays] as const;
        }),
      );
      expect(states.filter(([state]) => state === 'Enabled')).toHaveLength(3);
      const { KeyMetadata: own } = await ann.kms.send(new DescribeKeyCommand({ KeyId: outputs['KeyArn'] }));
      expect(own?.KeyState).toBe('Enabled');
      const left = states.filter(([state]) => state !== 'Enabled');
      expect(left.length).toBeGreaterThan(0);
      expect(new Set(left.map(([state]) => state))).toEqual(new Set(['PendingDeletion']));

      const { Buckets: buckets = [] } = await ann.s3.send(new ListBucketsCommand({}));
      expect(new Set(buckets.map(({ Name }) => Name))).toEqual(
        new Set([outputs['BucketName'], outputs['AccessLogsBucketName']]),
      );
      const secrets = new SecretsManagerClient({
        ...aws.clientOptions('secretsmanager', REGION),
        credentials: ann.credentials,
      });
      onTestFinished(() => secrets.destroy());
      const { SecretList: list = [] } = await secrets.send(new ListSecretsCommand({}));
      expect(new Set(list.map(({ ARN }) => ARN))).toEqual(
        new Set([outputs['PasswordSecretArn'], outputs['GatewaySecretArn']]),
      );
    },
  );

  it('of the baseline leaves nothing, its roles and buckets neither', async () => {
    const order = await orderOf('infrastructure', BASELINE, { nodes: 3 });
    const denial = { Action: 'iam:CreateInstanceProfile', Resource: '*-node-3-parent' };
    const { ann, outputs } = await failAndMend(order, denial, 'InstanceProfile3');
    const { Buckets: buckets = [] } = await ann.s3.send(new ListBucketsCommand({}));
    expect(buckets).toHaveLength(2);
    expect(await refused(ann.iam.send(new GetRoleCommand({ RoleName: outputs['RoleName3'] })))).toMatchObject(
      {
        name: 'answered',
      },
    );
  });

  it('of a host leaves nothing', async () => {
    const ann = personOf(aws);
    const baseline = outputsOf(
      await applyStack(await orderOf('infrastructure', BASELINE), stepContextOf(aws, ann)),
    );
    const order = await orderOf('host', {
      NodeName: 'acme-production-node-1',
      RoleName: baseline['RoleName1'] ?? '',
      InstanceProfileArn: baseline['InstanceProfileArn1'] ?? '',
      SecurityGroupId: baseline['SecurityGroupId'] ?? '',
      SubnetId: BASELINE.SubnetId,
      ImageId: 'ami-0123456789abcdef0',
      KeyArn: `arn:aws:kms:${REGION}:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
      NodeBucketName: 'node-bucket',
    });
    // What fails beside an instance that is there already leaves it: no stack ends one (DisableApiTermination).
    const { outputs } = await failAndMend(order, { Action: 'iam:PutRolePolicy' }, 'UseOfKey');
    expect(outputs['InstanceId']).toMatch(/^i-/);
  });
});
