import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketLoggingCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { nameOfError, openS3, REGION } from './clients.ts';

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const Bucket = 'node-bucket';

let aws: LocalAws;
let owner: S3Client;
let stranger: S3Client;

beforeEach(async () => {
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
  onTestFinished(() => aws.close());
  owner = openS3(aws, { accountId: ACCOUNT });
  stranger = openS3(aws, { accountId: OTHER });
  aws.s3.createBucket({ name: Bucket, accountId: ACCOUNT, region: REGION, objectLock: true });
});

const tell = async (asked: Promise<unknown>): Promise<string> => await asked.then(() => 'done', nameOfError);
const put = (client: S3Client, Key: string, more: object = {}) =>
  tell(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more })));

async function setPolicy(...statements: readonly object[]): Promise<string> {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return await tell(owner.send(new PutBucketPolicyCommand({ Bucket, Policy })));
}

const writer = { AWS: `arn:aws:iam::${OTHER}:user/person` };
const objects = `arn:aws:s3:::${Bucket}/*`;

describe('a bucket of another account', () => {
  it('is closed', async () => {
    await put(owner, 'k');
    expect(await put(stranger, 'k')).toBe('AccessDenied');
    for (const command of [
      new GetObjectCommand({ Bucket, Key: 'k' }),
      new ListObjectsV2Command({ Bucket }),
      new GetBucketPolicyCommand({ Bucket }),
      new PutBucketPolicyCommand({ Bucket, Policy: '{}' }),
    ])
      expect(await tell(stranger.send(command as GetObjectCommand))).toBe('AccessDenied');
    expect((await stranger.send(new ListBucketsCommand({}))).Buckets).toEqual([]);
    const taken = { Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } } as const;
    expect(await tell(stranger.send(new CreateBucketCommand(taken)))).toBe('BucketAlreadyExists');
  });

  it('opens by its policy and the caller’s own together, for what both allow', async () => {
    expect(
      await setPolicy({ Effect: 'Allow', Principal: writer, Action: 's3:PutObject', Resource: objects }),
    ).toBe('done');
    expect(await put(stranger, 'k')).toBe('done');
    expect(await tell(stranger.send(new GetObjectCommand({ Bucket, Key: 'k' })))).toBe('AccessDenied');
    const powerless = openS3(aws, { accountId: OTHER, policies: [] });
    expect(await put(powerless, 'k')).toBe('AccessDenied');
    const another = openS3(aws, { accountId: OTHER, userName: 'another' });
    expect(await put(another, 'k')).toBe('AccessDenied');
  });

  it('is refused where its owner is expected to be another', async () => {
    expect(await put(owner, 'k', { ExpectedBucketOwner: OTHER })).toBe('AccessDenied');
    expect(await put(owner, 'k', { ExpectedBucketOwner: ACCOUNT })).toBe('done');
  });
});

describe('a bucket policy', () => {
  it('makes writes append only', async () => {
    await setPolicy(
      { Effect: 'Allow', Principal: writer, Action: 's3:PutObject', Resource: objects },
      {
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: objects,
        Condition: { Null: { 's3:if-none-match': 'true' } },
      },
    );
    expect(await put(stranger, 'log/1')).toBe('AccessDenied');
    expect(await put(stranger, 'log/1', { IfNoneMatch: '*' })).toBe('done');
    expect(await put(stranger, 'log/1', { IfNoneMatch: '*' })).toBe('PreconditionFailed');
    expect(await put(owner, 'log/1')).toBe('AccessDenied');
  });

  it('denies by the caller’s ARN, and even the owner', async () => {
    await setPolicy({
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:DeleteObject*',
      Resource: objects,
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:role/nobody` } },
    });
    await put(owner, 'k');
    expect(await tell(owner.send(new DeleteObjectCommand({ Bucket, Key: 'k' })))).toBe('AccessDenied');
  });

  it('that asks for TLS lets in who came by it', async () => {
    await setPolicy({
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::${Bucket}`, objects],
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    });
    expect(await put(owner, 'k')).toBe('done');
  });

  it('of another bucket, or no policy at all, is not taken', async () => {
    const allow = { Effect: 'Allow', Principal: writer, Action: 's3:GetObject' };
    expect(await setPolicy({ ...allow, Resource: 'arn:aws:s3:::other/*' })).toBe('MalformedPolicy');
    expect(await setPolicy({ ...allow, Action: 'kms:Decrypt', Resource: objects })).toBe('MalformedPolicy');
    const broken = new PutBucketPolicyCommand({ Bucket, Policy: '{' });
    expect(await tell(owner.send(broken))).toBe('MalformedPolicy');
  });

  it('for everybody is blocked', async () => {
    const everybody = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: objects };
    expect(await setPolicy(everybody)).toBe('AccessDenied');
    await owner.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: { BlockPublicPolicy: false },
      }),
    );
    expect(await setPolicy(everybody)).toBe('done');
  });
});

it('whoever may not list a bucket is not told what is missing', async () => {
  const reader = openS3(aws, {
    accountId: ACCOUNT,
    policies: [
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }],
      }),
    ],
  });
  const get = new GetObjectCommand({ Bucket, Key: 'none' });
  expect(await tell(reader.send(get))).toBe('AccessDenied');
  expect(await tell(owner.send(get))).toBe('NoSuchKey');
  expect(await tell(owner.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toBe('NotFound');
});

it('a new bucket is private, encrypted and its owner’s alone; its settings come back as they were put', async () => {
  const { PublicAccessBlockConfiguration: block } = await owner.send(
    new GetPublicAccessBlockCommand({ Bucket }),
  );
  expect(Object.values(block ?? {})).toEqual([true, true, true, true]);
  const { ServerSideEncryptionConfiguration: encryption } = await owner.send(
    new GetBucketEncryptionCommand({ Bucket }),
  );
  expect(encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe('AES256');
  const { OwnershipControls: ownership } = await owner.send(
    new GetBucketOwnershipControlsCommand({ Bucket }),
  );
  expect(ownership?.Rules?.[0]?.ObjectOwnership).toBe('BucketOwnerEnforced');
  expect((await owner.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toBeUndefined();
  const LoggingEnabled = { TargetBucket: 'logs', TargetPrefix: 'a<&b/' };
  await owner.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: { LoggingEnabled } }));
  expect((await owner.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toEqual(LoggingEnabled);
  expect(await tell(owner.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).toBe(
    'NoSuchLifecycleConfiguration',
  );
});
