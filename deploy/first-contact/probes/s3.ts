import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
} from '@aws-sdk/client-s3';
import { dnsSuffixOf } from '../../../shared/aws/partitions.ts';
import { assertRefused, DoesNotHold, type Probe, type ProbeContext } from '../probe.ts';

/** The only Region that CreateBucket takes no location constraint of. Source: S3 API Reference, CreateBucket. */
const REGION_WITHOUT_CONSTRAINT = 'us-east-1';

/** Makes a bucket with Object Lock, once; it is emptied and deleted after the run. */
async function lockedBucket(context: ProbeContext): Promise<string> {
  const known = context.kept.get('bucket');
  if (known !== undefined) return known;
  const { node, prefix, region, endLater } = context;
  const bucket = `${prefix}-${node.accountId}`;
  const isPlain = region === REGION_WITHOUT_CONSTRAINT;
  await node.s3.send(
    new CreateBucketCommand({
      Bucket: bucket,
      ObjectLockEnabledForBucket: true,
      ...(isPlain ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } }),
    }),
  );
  context.kept.set('bucket', bucket);
  endLater(`bucket ${bucket}`, () => deleteBucket(context, bucket));
  return bucket;
}

/** Makes an object that somebody could copy, and returns it as CopySource names it. */
export async function sourceObject(context: ProbeContext): Promise<string> {
  const Bucket = await lockedBucket(context);
  await context.node.s3.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'to be copied' }));
  return `${Bucket}/source`;
}

/** Puts a template where CloudFormation takes it from, and returns its URL. */
export async function putTemplate(context: ProbeContext, text: string): Promise<string> {
  const Bucket = await lockedBucket(context);
  const Key = `templates/${context.kept.size}-${Buffer.byteLength(text)}.yaml`;
  await context.node.s3.send(new PutObjectCommand({ Bucket, Key, Body: text }));
  return `https://${Bucket}.s3.${context.region}.${dnsSuffixOf(context.region)}/${Key}`;
}

async function deleteBucket({ node: { s3 } }: ProbeContext, bucket: string): Promise<void> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(
    new ListObjectVersionsCommand({ Bucket: bucket }),
  );
  for (const { Key, VersionId } of [...Versions, ...DeleteMarkers]) {
    const object = { Bucket: bucket, Key, VersionId };
    // GOVERNANCE is given up by whoever may: the run's own administrator.
    await s3.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention: true }));
  }
  await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
}

export const S3_PROBES: readonly Probe[] = [
  {
    assumption: 'aws-s3-if-none-match',
    look: async (context) => {
      const put = {
        Bucket: await lockedBucket(context),
        Key: 'configurations/000001.json',
        Body: 'first',
        IfNoneMatch: '*',
      };
      const { s3 } = context.node;
      await s3.send(new PutObjectCommand(put));
      const again = s3.send(new PutObjectCommand({ ...put, Body: 'second' }));
      return await assertRefused(again, 'PutObject', ['PreconditionFailed']);
    },
  },
  {
    assumption: 'aws-s3-append-only',
    look: async (context) => {
      const { s3 } = context.node;
      const object = { Bucket: await lockedBucket(context), Key: 'log/entry' };
      const { VersionId } = await s3.send(new PutObjectCommand({ ...object, Body: 'entry' }));
      if (VersionId === undefined) throw new DoesNotHold('a bucket with Object Lock has no versions');
      const until = new Date(Date.now() + 3_600_000);
      await s3.send(
        new PutObjectRetentionCommand({
          ...object,
          VersionId,
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate: until },
        }),
      );
      const gone = s3.send(new DeleteObjectCommand({ ...object, VersionId }));
      return await assertRefused(gone, 'DeleteObject of a version', ['AccessDenied']);
    },
  },
];
