import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, GetKeyPolicyCommand } from '@aws-sdk/client-kms';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, outputsOf, personOf, refused, REGION, settled, startAws, type Person } from './cloud.ts';

const KEY_STACK = `
Parameters:
  Description: { Type: String, Default: first }
  Usage: { Type: String, Default: ENCRYPT_DECRYPT }
Resources:
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: Retain
    Properties:
      Description: !Ref Description
      KeyUsage: !Ref Usage
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: { AWS: !Sub 'arn:\${AWS::Partition}:iam::\${AWS::AccountId}:user/ann' }
            Action: 'kms:*'
            Resource: '*'
  Alias:
    Type: AWS::KMS::Alias
    Properties: { AliasName: alias/holdfast, TargetKeyId: !Ref Key }
Outputs:
  KeyArn: { Value: !GetAtt Key.Arn }
`;

let aws: LocalAws;
let ann: Person;

beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
});

const create = (body: string, more: object = {}) =>
  ann.cloudFormation.send(new CreateStackCommand({ StackName: 'node', TemplateBody: body, ...more }));

describe('a stack', () => {
  it('makes real keys, and says so in its outputs and events', async () => {
    await create(KEY_STACK);
    const stack = await settled(aws, ann, 'node');
    const events = await ann.cloudFormation.send(new DescribeStackEventsCommand({ StackName: 'node' }));
    expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
    const { KeyArn = '' } = outputsOf(stack);
    expect(KeyArn).toMatch(new RegExp(`^arn:aws:kms:${REGION}:${ACCOUNT}:key/`));
    const { KeyMetadata: key } = await ann.kms.send(new DescribeKeyCommand({ KeyId: 'alias/holdfast' }));
    expect(key).toMatchObject({ Arn: KeyArn, Description: 'first' });
    const { Policy: policy } = await ann.kms.send(new GetKeyPolicyCommand({ KeyId: KeyArn }));
    expect(policy).toContain(`arn:aws:iam::${ACCOUNT}:user/ann`);
    expect(
      events.StackEvents?.map(({ LogicalResourceId, ResourceStatus }) => [LogicalResourceId, ResourceStatus]),
    ).toEqual([
      ['node', 'CREATE_COMPLETE'],
      ['Alias', 'CREATE_COMPLETE'],
      ['Alias', 'CREATE_IN_PROGRESS'],
      ['Key', 'CREATE_COMPLETE'],
      ['Key', 'CREATE_IN_PROGRESS'],
      ['node', 'CREATE_IN_PROGRESS'],
    ]);
  });

  it('is updated in place, refuses an update without changes, and keeps what DeletionPolicy retains', async () => {
    await create(KEY_STACK);
    const { KeyArn = '' } = outputsOf(await settled(aws, ann, 'node'));
    const update = (value: string) =>
      ann.cloudFormation.send(
        new UpdateStackCommand({
          StackName: 'node',
          UsePreviousTemplate: true,
          Parameters: [{ ParameterKey: 'Description', ParameterValue: value }],
        }),
      );
    expect(await refused(update('first'))).toEqual({
      name: 'ValidationError',
      message: 'No updates are to be performed.',
    });
    await update('second');
    expect(await settled(aws, ann, 'node')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    const key = await ann.kms.send(new DescribeKeyCommand({ KeyId: KeyArn }));
    expect(key.KeyMetadata).toMatchObject({ Description: 'second', KeyState: 'Enabled' });
    const { StackId } = await settled(aws, ann, 'node');
    await ann.cloudFormation.send(new DeleteStackCommand({ StackName: 'node' }));
    expect(await settled(aws, ann, StackId ?? '')).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    const { StackResources: resources } = await ann.cloudFormation.send(
      new DescribeStackResourcesCommand({ StackName: StackId }),
    );
    expect(resources?.map((resource) => [resource.LogicalResourceId, resource.ResourceStatus])).toEqual([
      ['Key', 'DELETE_SKIPPED'],
      ['Alias', 'DELETE_COMPLETE'],
    ]);
    expect((await ann.kms.send(new DescribeKeyCommand({ KeyId: KeyArn }))).KeyMetadata?.KeyState).toBe(
      'Enabled',
    );
  });
});
