import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { nameOfError, openS3, REGION } from './clients.ts';

const ACCOUNT = '111122223333';
const Bucket = 'vault-artifacts';
const DAY = 86_400_000;

let now: number;
let aws: LocalAws;
let client: S3Client;

beforeEach(async () => {
  now = Date.now();
  aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }), clock: () => now });
  onTestFinished(() => aws.close());
  client = openS3(aws, { accountId: ACCOUNT });
});

/** Name of the refusal, or `done`. */
const tell = async (asked: Promise<unknown>): Promise<string> => await asked.then(() => 'done', nameOfError);

async function makeBucket(locked = false): Promise<void> {
  await client.send(
    new CreateBucketCommand({
      Bucket,
      ObjectLockEnabledForBucket: locked,
      CreateBucketConfiguration: { LocationConstraint: REGION },
    }),
  );
}

async function read(Key: string, more: object = {}): Promise<string | undefined> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return await Body?.transformToString();
}

describe('an object', () => {
  beforeEach(() => makeBucket());

  it('comes back with its type, metadata, entity tag and checksum', async () => {
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a folder/é+&=ü.txt',
        Body: 'hello',
        ContentType: 'text/plain',
        Metadata: { origin: 'here' },
        Tagging: 'a=b&c=d%20e',
      }),
    );
    expect(put.ETag).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
    expect(put.ChecksumCRC32).toBe('NhCmhg==');
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'a folder/é+&=ü.txt' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({
      ContentType: 'text/plain',
      ContentLength: 5,
      Metadata: { origin: 'here' },
      ChecksumCRC32: 'NhCmhg==',
      TagCount: 2,
    });
    expect(await client.send(new HeadObjectCommand({ Bucket, Key: 'a folder/é+&=ü.txt' }))).toMatchObject({
      ContentLength: 5,
      ETag: put.ETag,
    });
  });

  it('may come as a stream, in chunks with a checksum after them', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'streamed',
        Body: Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]),
        ContentLength: body.length,
      }),
    );
    expect(put.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    const { ContentEncoding } = await client.send(new HeadObjectCommand({ Bucket, Key: 'streamed' }));
    expect(ContentEncoding).toBeUndefined();
  });

  it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    'is compared with a checksum of %s',
    async (name) => {
      const put = await client.send(
        new PutObjectCommand({ Bucket, Key: 'sum', Body: 'hello', ChecksumAlgorithm: name }),
      );
      expect(put[`Checksum${name}`]).toBeDefined();
      const wrong = new PutObjectCommand({
        Bucket,
        Key: 'sum',
        Body: 'other',
        [`Checksum${name}`]: put[`Checksum${name}`],
      });
      expect(await tell(client.send(wrong))).toBe('BadDigest');
    },
  );

  it('is read in ranges', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'r', Body: '0123456789' }));
    expect(await read('r', { Range: 'bytes=2-4' })).toBe('234');
    expect(await read('r', { Range: 'bytes=8-100' })).toBe('89');
    expect(await read('r', { Range: 'bytes=-3' })).toBe('789');
    expect(await read('r', { Range: 'bytes=7-' })).toBe('789');
    expect(await tell(read('r', { Range: 'bytes=10-' }))).toBe('InvalidRange');
    const part = await client.send(new GetObjectCommand({ Bucket, Key: 'r', Range: 'bytes=2-4' }));
    expect(part.ContentRange).toBe('bytes 2-4/10');
  });

  it('is read on conditions', async () => {
    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key: 'c', Body: '1' }));
    expect(await tell(read('c', { IfMatch: '"other"' }))).toBe('PreconditionFailed');
    expect(await read('c', { IfMatch: ETag })).toBe('1');
    const unchanged = client.send(new GetObjectCommand({ Bucket, Key: 'c', IfNoneMatch: ETag }));
    await expect(unchanged).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  });

  it('is written once where that is asked, even by many at once', async () => {
    const once = (): Promise<string> =>
      tell(client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'x', IfNoneMatch: '*' })));
    const results = await Promise.all(Array.from({ length: 8 }, once));
    expect(results.filter((result) => result === 'done')).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set(['done', 'PreconditionFailed']));
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket, Key: 'once' }));
    expect(
      await tell(client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'y', IfMatch: ETag }))),
    ).toBe('done');
    expect(
      await tell(client.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'z', IfMatch: ETag }))),
    ).toBe('PreconditionFailed');
    expect(
      await tell(client.send(new PutObjectCommand({ Bucket, Key: 'none', Body: 'z', IfMatch: ETag }))),
    ).toBe('NoSuchKey');
  });

  it('is copied', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'from', Body: 'copied', Metadata: { a: 'b' } }));
    await client.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from` }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'from' }));
    expect(await read('to')).toBe('copied');
    expect(await tell(read('from'))).toBe('NoSuchKey');
  });

  it('comes in parts, each of at least five megabytes but the last', async () => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'm' }));
    const bodies = [Buffer.alloc(5 * 1024 * 1024, 'a'), Buffer.from('tail')];
    const upload = async (Body: Buffer, index: number) => {
      const { ETag } = await client.send(
        new UploadPartCommand({ Bucket, Key: 'm', UploadId, PartNumber: index + 1, Body }),
      );
      return { ETag, PartNumber: index + 1 };
    };
    const Parts = await Promise.all(bodies.map(upload));
    const complete = (parts: typeof Parts) =>
      client.send(
        new CompleteMultipartUploadCommand({ Bucket, Key: 'm', UploadId, MultipartUpload: { Parts: parts } }),
      );
    expect(await tell(complete([...Parts].reverse()))).toBe('InvalidPartOrder');
    expect(await tell(complete([{ ETag: '"00"', PartNumber: 1 }]))).toBe('InvalidPart');
    const { ETag } = await complete(Parts);
    expect(ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    expect((await read('m'))?.length).toBe(5 * 1024 * 1024 + 4);
    expect(await tell(complete(Parts))).toBe('NoSuchUpload');
  });
});

describe('versions', () => {
  beforeEach(async () => {
    await makeBucket();
    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  });

  it('are all kept, behind delete markers, too', async () => {
    const first = await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'one' }));
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'two' }));
    const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await tell(read('k'))).toBe('NoSuchKey');
    expect(await read('k', { VersionId: first.VersionId })).toBe('one');
    expect(await tell(read('k', { VersionId: marker.VersionId }))).toBe('MethodNotAllowed');
    const listed = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map(({ IsLatest }) => IsLatest)).toEqual([false, false]);
    expect(listed.DeleteMarkers?.map(({ IsLatest }) => IsLatest)).toEqual([true]);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k', VersionId: marker.VersionId }));
    expect(await read('k')).toBe('two');
  });

  it('are listed page by page', async () => {
    for (const key of ['a/1', 'a/2', 'b', 'c/1'])
      for (const Body of ['1', '2']) await client.send(new PutObjectCommand({ Bucket, Key: key, Body }));
    const seen: string[] = [];
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await client.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 3, ...markers }));
      seen.push(...(page.Versions ?? []).map(({ Key, IsLatest }) => `${Key} ${IsLatest}`));
      if (page.IsTruncated !== true) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    expect(seen).toEqual(['a/1', 'a/2', 'b', 'c/1'].flatMap((key) => [`${key} true`, `${key} false`]));
    const objects: string[] = [];
    let token: string | undefined;
    for (;;) {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket, Delimiter: '/', MaxKeys: 1, ContinuationToken: token }),
      );
      objects.push(
        ...(page.Contents ?? []).map(({ Key = '' }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
      );
      if (page.IsTruncated !== true) break;
      token = page.NextContinuationToken;
    }
    expect(objects).toEqual(['a/', 'b', 'c/']);
  });
});

describe('Object Lock', () => {
  beforeEach(() => makeBucket(true));

  const put = async (more: object = {}) =>
    await client.send(new PutObjectCommand({ Bucket, Key: 'log', Body: 'entry', ...more }));
  const remove = (VersionId: string | undefined, bypass = false) =>
    tell(
      client.send(
        new DeleteObjectCommand({ Bucket, Key: 'log', VersionId, BypassGovernanceRetention: bypass }),
      ),
    );

  it('in compliance lets nobody delete or shorten before the time is over', async () => {
    const { VersionId } = await put({
      ObjectLockMode: 'COMPLIANCE',
      ObjectLockRetainUntilDate: new Date(now + DAY),
    });
    expect(await remove(VersionId)).toBe('AccessDenied');
    expect(await remove(VersionId, true)).toBe('AccessDenied');
    const retain = (until: number, Mode: 'COMPLIANCE' | 'GOVERNANCE' = 'COMPLIANCE') =>
      tell(
        client.send(
          new PutObjectRetentionCommand({
            Bucket,
            Key: 'log',
            VersionId,
            BypassGovernanceRetention: true,
            Retention: { Mode, RetainUntilDate: new Date(until) },
          }),
        ),
      );
    expect(await retain(now + DAY / 2)).toBe('AccessDenied');
    expect(await retain(now + 3 * DAY, 'GOVERNANCE')).toBe('AccessDenied');
    expect(await retain(now + 2 * DAY)).toBe('done');
    expect(await remove(undefined)).toBe('done');
    expect(await read('log', { VersionId })).toBe('entry');
    now += 2 * DAY + 1000;
    // A refusal tells the client the time.
    expect(await remove(VersionId)).toBe('RequestTimeTooSkewed');
    expect(await remove(VersionId)).toBe('done');
  });

  it('in governance lets those delete who may bypass it, and ask to', async () => {
    const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(now + DAY) };
    const { VersionId } = await put(lock);
    expect(await remove(VersionId)).toBe('AccessDenied');
    expect(await remove(VersionId, true)).toBe('done');
  });

  it('holds an object for as long as the hold is on', async () => {
    const { VersionId } = await put({ ObjectLockLegalHoldStatus: 'ON' });
    expect(await remove(VersionId, true)).toBe('AccessDenied');
    await client.send(
      new PutObjectLegalHoldCommand({ Bucket, Key: 'log', VersionId, LegalHold: { Status: 'OFF' } }),
    );
    expect(await remove(VersionId)).toBe('done');
  });

  it('gives new versions the rule of the bucket, and cannot be turned off', async () => {
    await client.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 7 } },
        },
      }),
    );
    const { VersionId } = await put();
    const { Retention } = await client.send(new GetObjectRetentionCommand({ Bucket, Key: 'log', VersionId }));
    expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThanOrEqual(now + 6.9 * DAY);
    expect(await remove(VersionId, true)).toBe('AccessDenied');
    const suspend = new PutBucketVersioningCommand({
      Bucket,
      VersioningConfiguration: { Status: 'Suspended' },
    });
    expect(await tell(client.send(suspend))).toBe('InvalidBucketState');
    const all = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'log', VersionId }] } }),
    );
    expect(all.Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied']);
  });
});

it('buckets and objects survive a restart, and what nothing names is removed', async () => {
  const stateDirectory = temporaryFolder();
  const start = () => startLocalAws({ stateDirectory, verifyRecipient: () => ({ pcrs: new Map() }) });
  const first = await start();
  first.s3.createBucket({ name: Bucket, accountId: ACCOUNT, region: REGION, objectLock: true });
  await first.s3.putObject(Bucket, 'kept', Buffer.from('kept'));
  await first.s3.store.keepFile(await touch(first.s3.store.incoming));
  await first.close();
  const second = await start();
  onTestFinished(() => second.close());
  expect((await second.s3.getObject(Bucket, 'kept'))?.toString()).toBe('kept');
  expect(readdirSync(join(stateDirectory, 's3', 'data'))).toHaveLength(1);
  const other = openS3(second, { accountId: ACCOUNT, policies: [ADMINISTRATOR_POLICY] });
  expect(
    await tell(
      other.send(
        new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
      ),
    ),
  ).toBe('BucketAlreadyOwnedByYou');
});

async function touch(folder: string): Promise<string> {
  const path = join(folder, 'left');
  await writeFile(path, 'left');
  return path;
}
