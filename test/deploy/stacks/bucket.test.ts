import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { readTemplate } from '../../../deploy/index.ts';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { nameOfError } from '../../local/s3/clients.ts';
import { createResolver } from './resolve.ts';

const NODE_ACCOUNT = '111111111111';
const WALLET_ACCOUNT = '444455556666';
const REGION = 'eu-central-1';
const BUCKET = 'acme-node-1-bucket';
const DAY_MS = 86_400_000;
const GIVEN = {
  Namespace: 'acme',
  Environment: 'production',
  NodeIndex: '1',
  WalletAccountId: WALLET_ACCOUNT,
  AdminArns: [`arn:aws:iam::${NODE_ACCOUNT}:role/node-admin`],
  NodeBucketName: BUCKET,
  RoleName: 'acme-production-node-1-parent',
};
const ATTRIBUTES = { Bucket: BUCKET, 'Bucket.Arn': `arn:aws:s3:::${BUCKET}`, AccessLogs: 'logs' };
const resolveNode = createResolver(await readTemplate('node'));
const resolveHost = createResolver(await readTemplate('host'));
interface WithPolicy {
  readonly PolicyDocument: object;
}
const bucketPolicy = (resolveNode('BucketPolicy', GIVEN, ATTRIBUTES) as WithPolicy).PolicyDocument;
const hostPolicy = (resolveHost('UseOfNodeBucket', GIVEN) as WithPolicy).PolicyDocument;

describe("the bucket of a node's stack, by the policies of both templates", () => {
  let aws: LocalAws;
  let admin: S3Client;
  let host: S3Client;
  let otherHost: S3Client;

  function open(credentials: AwsCredentials): S3Client {
    // The SDK takes an agent of its own, without our authority, for a request that expects 100 Continue.
    const options = { credentials, maxAttempts: 1, expectContinueHeader: false };
    return new S3Client({ ...aws.clientOptions('s3', REGION), ...options });
  }

  /** Client of a host's role in the wallet's account, with the policy that host.yaml gives it. */
  function openHost(node: number): S3Client {
    const roleName = `acme-production-node-${node}-parent`;
    aws.directory.defineRole({ accountId: WALLET_ACCOUNT, roleName, policies: [JSON.stringify(hostPolicy)] });
    const credentials = aws.directory.assumeRole({
      roleArn: `arn:aws:iam::${WALLET_ACCOUNT}:role/${roleName}`,
      sessionName: 'i-0123456789abcdef0',
    });
    return open(credentials);
  }

  beforeAll(async () => {
    aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }) });
    admin = open(
      aws.directory.createAccessKey({
        accountId: NODE_ACCOUNT,
        userName: 'administrator',
        policies: [ADMINISTRATOR_POLICY],
      }),
    );
    await admin.send(
      new CreateBucketCommand({
        Bucket: BUCKET,
        ObjectLockEnabledForBucket: true,
        CreateBucketConfiguration: { LocationConstraint: REGION },
      }),
    );
    await admin.send(
      new PutObjectLockConfigurationCommand({
        Bucket: BUCKET,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 30 } },
        },
      }),
    );
    await admin.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify(bucketPolicy) }));
    host = openHost(1);
    otherHost = openHost(2);
    return async () => {
      for (const client of [admin, host, otherHost]) client.destroy();
      await aws.close();
    };
  });

  const put = (client: S3Client, Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client
      .send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'x', ...more }))
      .then(() => 'written', nameOfError);
  const once = { IfNoneMatch: '*' } as const;

  it('lets the host append to the log, each tile once', async () => {
    const key = 'log/tile/0/000';
    expect(await put(host, key)).toBe('AccessDenied');
    expect(await put(host, key, once)).toBe('written');
    expect(await put(host, key, once)).toBe('PreconditionFailed');
    expect(await put(host, key)).toBe('AccessDenied');
  });

  it('lets the host publish its checkpoint again and again', async () => {
    expect(await put(host, 'log/checkpoint')).toBe('written');
    expect(await put(host, 'log/checkpoint')).toBe('written');
  });

  it('lets the host read its checkpoint, and set no retention', async () => {
    await put(host, 'log/checkpoint');
    const { Body } = await host.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'log/checkpoint' }));
    expect(await Body?.transformToString()).toBe('x');
    const lock = {
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: new Date(Date.now() + 36_500 * DAY_MS),
    } as const;
    expect(await put(host, 'log/checkpoint', lock)).toBe('AccessDenied');
    expect(await put(host, 'log/tile/7/000', { ...once, ...lock })).toBe('AccessDenied');
  });

  it.each([
    'configurations/000001.json',
    'manifest.json',
    'functions/x.zip',
    'recovery/key-1.json',
    'log/other',
    'elsewhere',
  ])('lets the host write nowhere else: %s', async (key) => {
    expect(await put(host, key, once)).toBe('AccessDenied');
  });

  it('lets the host neither read, list, delete, copy nor upload in parts', async () => {
    await put(host, 'log/tile/0/001', once);
    const Key = 'log/tile/0/001';
    const attempts = [
      new GetObjectCommand({ Bucket: BUCKET, Key }),
      new ListObjectsV2Command({ Bucket: BUCKET }),
      new DeleteObjectCommand({ Bucket: BUCKET, Key }),
      new CopyObjectCommand({ Bucket: BUCKET, Key: 'log/tile/0/002', CopySource: `${BUCKET}/${Key}` }),
      new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'log/tile/0/003' }),
    ];
    for (const command of attempts)
      expect(await host.send(command as GetObjectCommand).then(() => 'done', nameOfError)).toBe(
        'AccessDenied',
      );
  });

  it('lets no other host of the account write', async () => {
    expect(await put(otherHost, 'log/tile/1/000', once)).toBe('AccessDenied');
    expect(await put(otherHost, 'log/checkpoint')).toBe('AccessDenied');
  });

  it.each(['configurations/000001.json', 'functions/a.zip', 'recovery/a.json', 'log/tile/9/000'])(
    'lets an administrator of the account neither overwrite nor delete: %s',
    async (Key) => {
      expect(await put(admin, Key)).toBe('AccessDenied');
      expect(await put(admin, Key, once)).toBe('written');
      expect(await put(admin, Key, once)).toBe('PreconditionFailed');
      const deletion = new DeleteObjectCommand({ Bucket: BUCKET, Key });
      expect(await admin.send(deletion).then(() => 'done', nameOfError)).toBe('AccessDenied');
    },
  );

  it('keeps what was written for as long as it was said, whoever would shorten it', async () => {
    await put(admin, 'recovery/kept.json', once);
    const shorter = new PutObjectRetentionCommand({
      Bucket: BUCKET,
      Key: 'recovery/kept.json',
      Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + DAY_MS) },
      BypassGovernanceRetention: true,
    });
    for (const client of [host, admin])
      expect(await client.send(shorter).then(() => 'done', nameOfError)).toBe('AccessDenied');
  });
});
