import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, ListResourceTagsCommand } from '@aws-sdk/client-kms';
import { DeleteBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from 'vitest';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { outputsOf, personOf, refused, settled, startAws, type Person } from './cloud.ts';

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
const key = (Description: string, more: object = {}) => ({
  Type: 'AWS::KMS::Key',
  ...more,
  Properties: { Description, KeyPolicy: ROOT_POLICY },
});
const bucket = (BucketName: string, more: object = {}) => ({
  Type: 'AWS::S3::Bucket',
  ...more,
  Properties: { BucketName },
});
/** Fails, after what it depends on. */
const bad = (...DependsOn: readonly string[]) => ({
  Type: 'AWS::S3::BucketPolicy',
  DependsOn,
  Properties: { Bucket: 'nowhere-at-all', PolicyDocument: { Version: '2012-10-17', Statement: [] } },
});
const OUTPUTS = { KeyId: { Value: { Ref: 'Key' } } };
const template = (Resources: Readonly<Record<string, object>>, Outputs: object = {}) =>
  JSON.stringify({ Resources, Outputs });

let aws: LocalAws;
let ann: Person;

beforeEach(async () => {
  aws = await startAws();
  ann = personOf(aws);
});

const create = async (TemplateBody: string, more: object = {}) => {
  await ann.cloudFormation.send(new CreateStackCommand({ StackName: 'node', TemplateBody, ...more }));
  return await settled(aws, ann, 'node');
};
const update = async (TemplateBody: string, more: object = {}) => {
  await ann.cloudFormation.send(new UpdateStackCommand({ StackName: 'node', TemplateBody, ...more }));
  return await settled(aws, ann, 'node');
};
const stateOf = async (KeyId: string | undefined) =>
  (await ann.kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
const hasBucket = async (Bucket: string) =>
  (await refused(ann.s3.send(new HeadBucketCommand({ Bucket })))).name === 'answered';
const resources = async () => {
  const { StackResources: list = [] } = await ann.cloudFormation.send(
    new DescribeStackResourcesCommand({ StackName: 'node' }),
  );
  return Object.fromEntries(
    list.map(({ LogicalResourceId: id = '', ResourceStatus, PhysicalResourceId }) => [
      id,
      [ResourceStatus, PhysicalResourceId],
    ]),
  );
};

describe('a creation that fails', () => {
  it('takes back what it made, takes no update, and is deleted', async () => {
    const failed = template({ First: bucket('first-bucket'), Fails: bad('First') });
    expect(await create(failed)).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' });
    expect(await hasBucket('first-bucket')).toBe(false);
    const good = template({ First: bucket('first-bucket') });
    const again = refused(update(good));
    expect(await again).toMatchObject({
      name: 'ValidationError',
      message: expect.stringMatching(/is in ROLLBACK_COMPLETE state and can not be updated/) as unknown,
    });
    expect(await refused(create(good))).toMatchObject({ name: 'AlreadyExistsException' });
    await ann.cloudFormation.send(new DeleteStackCommand({ StackName: 'node' }));
    await aws.cloudFormation.settled();
    expect(await create(good)).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  });

  it('keeps what its policy retains, except where that is for what an update leaves out', async () => {
    const failed = template({
      Kept: bucket('kept-bucket', { DeletionPolicy: 'Retain' }),
      Gone: bucket('gone-bucket', { DeletionPolicy: 'RetainExceptOnCreate' }),
      Fails: bad('Kept', 'Gone'),
    });
    await create(failed);
    expect([await hasBucket('kept-bucket'), await hasBucket('gone-bucket')]).toEqual([true, false]);
  });

  it('stays as it is, or goes altogether, where the request says so', async () => {
    const failed = template({
      First: bucket('first-bucket', { DeletionPolicy: 'RetainExceptOnCreate' }),
      Fails: bad('First'),
    });
    const stack = await create(failed, { OnFailure: 'DO_NOTHING' });
    expect(stack).toMatchObject({ StackStatus: 'CREATE_FAILED', DisableRollback: true });
    expect(await hasBucket('first-bucket')).toBe(true);
    // A deletion is another operation than the one that made the bucket.
    await ann.cloudFormation.send(new DeleteStackCommand({ StackName: 'node' }));
    await aws.cloudFormation.settled();
    expect(await hasBucket('first-bucket')).toBe(true);
    await ann.s3.send(new DeleteBucketCommand({ Bucket: 'first-bucket' }));
    const { StackId: id = '' } = await ann.cloudFormation.send(
      new CreateStackCommand({ StackName: 'node', TemplateBody: failed, OnFailure: 'DELETE' }),
    );
    expect(await settled(aws, ann, id)).toMatchObject({ StackStatus: 'DELETE_COMPLETE' });
    expect(await hasBucket('first-bucket')).toBe(false);
  });
});

describe('an update that fails', () => {
  it('brings the former values back, and says nothing of what it never touched', async () => {
    const before = await create(
      template({ Key: key('first'), Still: key('still'), Old: bucket('old-bucket') }, OUTPUTS),
      { Tags: [{ Key: 'stage', Value: 'one' }] },
    );
    const was = await resources();
    const stack = await update(
      template(
        { Key: key('second'), Still: key('still'), Old: bucket('new-bucket'), Fails: bad('Key', 'Old') },
        { ...OUTPUTS, More: { Value: 'more' } },
      ),
    );
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(stack.Outputs).toEqual(before.Outputs);
    const after = await resources();
    expect(Object.keys(after)).toEqual(Object.keys(was));
    expect(after['Old']?.[1]).toBe('old-bucket');
    expect([await hasBucket('old-bucket'), await hasBucket('new-bucket')]).toEqual([true, false]);
    const { KeyMetadata: back } = await ann.kms.send(
      new DescribeKeyCommand({ KeyId: outputsOf(stack)['KeyId'] }),
    );
    expect(back).toMatchObject({ Description: 'first', KeyState: 'Enabled' });
    const { StackEvents: events = [] } = await ann.cloudFormation.send(
      new DescribeStackEventsCommand({ StackName: 'node' }),
    );
    const ofStill = events.filter(({ LogicalResourceId: id }) => id === 'Still');
    expect(ofStill.map(({ ResourceStatus }) => ResourceStatus)).toEqual([
      'CREATE_COMPLETE',
      'CREATE_IN_PROGRESS',
    ]);
    // And it takes another update.
    expect(await update(template({ Key: key('third') }, OUTPUTS))).toMatchObject({
      StackStatus: 'UPDATE_COMPLETE',
    });
  });

  it('brings the former tags back', async () => {
    const stack = await create(template({ Key: key('first') }, OUTPUTS), {
      Tags: [{ Key: 'stage', Value: 'one' }],
    });
    await update(template({ Key: key('first'), Fails: bad('Key') }, OUTPUTS), {
      Tags: [{ Key: 'stage', Value: 'two' }],
    });
    const { Tags: tags } = await ann.kms.send(
      new ListResourceTagsCommand({ KeyId: outputsOf(stack)['KeyId'] }),
    );
    expect(tags).toContainEqual({ TagKey: 'stage', TagValue: 'one' });
  });
});

describe('what is retained except by its own creation', () => {
  const except = { DeletionPolicy: 'RetainExceptOnCreate' };

  it('is taken back with the update that has made it, and by no other that fails', async () => {
    await create(template({ Old: bucket('old-bucket', except) }));
    const failed = template({
      Old: bucket('old-bucket', except),
      New: bucket('new-bucket', except),
      Fails: bad('Old', 'New'),
    });
    expect(await update(failed)).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
    expect([await hasBucket('old-bucket'), await hasBucket('new-bucket')]).toEqual([true, false]);
  });

  it('outlives an update that leaves it out, and the stack', async () => {
    const two = { One: bucket('one-bucket', except), Two: bucket('two-bucket', except) };
    await create(template(two));
    await update(template({ Two: two.Two }));
    await ann.cloudFormation.send(new DeleteStackCommand({ StackName: 'node' }));
    await aws.cloudFormation.settled();
    expect([await hasBucket('one-bucket'), await hasBucket('two-bucket')]).toEqual([true, true]);
  });
});

describe('a replacement', () => {
  it('deletes the former one at the end, unless UpdateReplacePolicy retains it', async () => {
    const named = (name: string, more: object = {}) => template({ Bucket: bucket(name, more) });
    await create(named('one-bucket'));
    expect(await update(named('two-bucket'))).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
    expect(await hasBucket('one-bucket')).toBe(false);
    await update(named('three-bucket', { UpdateReplacePolicy: 'Retain' }));
    expect([await hasBucket('two-bucket'), await hasBucket('three-bucket')]).toEqual([true, true]);
  });

  it('leaves a key that is left out and retained, and schedules the deletion of one that is not', async () => {
    const both = template({ Key: key('a', { DeletionPolicy: 'Retain' }), Other: key('b') });
    await create(both);
    const { Key: kept, Other: gone } = await resources();
    await update(template({ Bucket: bucket('one-bucket') }));
    expect([await stateOf(kept?.[1]), await stateOf(gone?.[1])]).toEqual(['Enabled', 'PendingDeletion']);
  });

  it('never gives a key another kind: that update fails, and the key stays', async () => {
    const spec = (KeySpec: string) =>
      template(
        {
          Key: {
            Type: 'AWS::KMS::Key',
            Properties: { KeySpec, KeyUsage: 'SIGN_VERIFY', KeyPolicy: ROOT_POLICY },
          },
        },
        OUTPUTS,
      );
    const { KeyId } = outputsOf(await create(spec('ECC_NIST_P256')));
    const stack = await update(spec('ECC_NIST_P384'));
    expect(stack).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(outputsOf(stack)['KeyId']).toBe(KeyId);
    expect(await stateOf(KeyId)).toBe('Enabled');
  });
});
