import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import { type LocalAws, startLocalAws } from '../../../local/testbed/local-aws.ts';

const [OWNER, FRIEND] = ['111111111111', '222222222222'];
const REGION = 'eu-central-1';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws({ verifyRecipient: () => Promise.reject(new Error('no document')) });
});
afterAll(() => aws.close());

function administratorOf(accountId: string): AwsCredentials {
  return aws.directory.createAccessKey({ accountId, userName: 'admin', policies: [ADMINISTRATOR_POLICY] });
}

const clientsOf = (credentials: AwsCredentials) => ({
  kms: new KMSClient({ ...aws.clientOptions('kms', REGION), credentials }),
  s3: new S3Client({ ...aws.clientOptions('s3', REGION), credentials, forcePathStyle: true }),
  sts: new STSClient({ ...aws.clientOptions('sts', REGION), credentials }),
});

/** Policy that lets another account do everything with a key or a bucket. */
const sharedWith = (accountId: string, ...resources: readonly string[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: [OWNER, accountId].map((id) => `arn:aws:iam::${id}:root`) },
        Action: resources[0] === '*' ? 'kms:*' : 's3:*',
        Resource: resources,
      },
    ],
  });

describe('an account that was closed', () => {
  it('has credentials that are unknown, and keys and buckets that answer nobody, whatever policies say', async () => {
    const owner = clientsOf(administratorOf(OWNER));
    const friend = clientsOf(administratorOf(FRIEND));
    const { KeyMetadata } = await owner.kms.send(new CreateKeyCommand({ Policy: sharedWith(FRIEND, '*') }));
    const Bucket = 'of-the-owner';
    await owner.s3.send(new CreateBucketCommand({ Bucket }));
    const arns = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
    await owner.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: sharedWith(FRIEND, ...arns) }));
    const describeKey = () => friend.kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.Arn ?? '' }));
    const list = () => friend.s3.send(new ListObjectsV2Command({ Bucket }));
    await describeKey();
    await list();

    aws.directory.closeAccount(OWNER);

    await expect(describeKey()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(list()).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(owner.sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    await expect(owner.kms.send(new CreateKeyCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    });
    await expect(friend.sts.send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
      Account: FRIEND,
    });
  });

  it('has roles that nobody assumes any more', () => {
    const roleArn = aws.directory.defineRole({ accountId: '333333333333', roleName: 'role' });
    aws.directory.closeAccount('333333333333');
    expect(aws.directory.findRole(roleArn)).toBeUndefined();
    expect(() => aws.directory.assumeRole({ roleArn, sessionName: 'session' })).toThrow(RangeError);
  });
});
