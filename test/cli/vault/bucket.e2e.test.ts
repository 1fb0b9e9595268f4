import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BucketReleases, parseLocation } from '../../../admin/artifacts/index.ts';
import { ADMINISTRATOR_POLICY, type AwsCredentials } from '../../../local/aws/index.ts';
import type { AwsEvent } from '../../../local/aws/server.ts';
import { type LocalAws, startLocalAws } from '../../../local/testbed/local-aws.ts';
import { makeReleaseKey, makeSampleRelease } from '../../admin/artifacts/sample-release.ts';
import { openS3 } from '../../local/s3/clients.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const REGION = 'eu-central-1';
const ACCOUNT = '444455556666';
const PLACE = 's3://acme-artifacts/holdfast';
const key = makeReleaseKey();
let source: string;
let keyFile: string;
let aws: LocalAws;
let caFile: string;
let s3: S3Client;
let asked: AwsEvent[];

beforeAll(async () => {
  ({ out: source } = await makeSampleRelease(key));
  const folder = temporaryFolder();
  [keyFile, caFile] = [join(folder, 'cosign.pub'), join(folder, 'ca.pem')];
  writeFileSync(keyFile, key.pem);
});

beforeEach(async () => {
  asked = [];
  aws = await startLocalAws({
    verifyRecipient: () => ({ pcrs: new Map<number, Uint8Array>() }),
    onEvent: (event) => asked.push(event),
  });
  writeFileSync(caFile, aws.caPem);
  signIn([ADMINISTRATOR_POLICY]);
  s3 = openS3(aws, { accountId: ACCOUNT });
  const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
  await s3.send(new CreateBucketCommand({ Bucket: 'acme-artifacts', CreateBucketConfiguration }));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await aws.close();
});
afterAll(() => vi.unstubAllEnvs());

/** Gives this process the credentials of a user of the account, as the SDK looks for them. */
function signIn(policies: readonly string[]): void {
  const credentials: AwsCredentials = aws.directory.createAccessKey({
    accountId: ACCOUNT,
    userName: `user-${policies.length}`,
    policies,
  });
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
}

const run = async (...args: readonly string[]) => {
  const place = ['--region', REGION, '--endpoint', `https://localhost:${aws.port}`, '--ca', caFile];
  return await runHoldfast(['vault', ...args, '--key', keyFile, ...place, '--json']);
};
const fetch = async (folder: string, version = '1.4.0', from = PLACE) =>
  await run('fetch', version, '--from', from, '--out', folder);
const mirror = async (from = source) =>
  await run('mirror', '1.4.0', '--from', from, '--out', temporaryFolder(), '--to', PLACE);
const filesOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'base64')]));

describe('releases in a bucket', () => {
  it('are mirrored there once, and fetched bit for bit', async () => {
    const first = await mirror();
    expect([first.exit, JSON.parse(first.out)]).toMatchObject([0, { location: PLACE }]);
    expect((JSON.parse(first.out) as { written: string[] }).written.at(-1)).toBe('release.json');
    expect(JSON.parse((await mirror()).out)).toMatchObject({ written: [] });
    const folder = temporaryFolder();
    const { exit, out } = await fetch(folder);
    expect([exit, JSON.parse(out)]).toMatchObject([0, { version: '1.4.0', fetched: true }]);
    expect(filesOf(join(folder, '1.4.0'))).toEqual(filesOf(join(source, '1.4.0')));
    const before = asked.length;
    expect(JSON.parse((await fetch(folder)).out)).toMatchObject({ fetched: false });
    expect(asked.length).toBe(before);
  });

  it('are taken up where a download broke off', async () => {
    await mirror();
    const folder = temporaryFolder();
    const image = readFileSync(join(source, '1.4.0/enclave.eif'));
    mkdirSync(join(folder, '.1.4.0.partial'));
    writeFileSync(join(folder, '.1.4.0.partial/enclave.eif'), image.subarray(0, image.length / 2));
    expect(await fetch(folder)).toMatchObject({ exit: 0 });
    expect(filesOf(join(folder, '1.4.0'))).toEqual(filesOf(join(source, '1.4.0')));
  });

  it('end where an object ends before the part that is here, as any that broke off', async () => {
    await mirror();
    const location = parseLocation(PLACE);
    if (location.kind !== 's3') throw new TypeError('expected a bucket');
    const { size } = statSync(join(source, '1.4.0/release.json'));
    const read = new BucketReleases(s3, location).read(
      '1.4.0',
      'release.json',
      size,
      AbortSignal.timeout(60_000),
    );
    const { offset, chunks } = await read;
    let length = 0;
    for await (const chunk of chunks) length += chunk.length;
    expect([offset, length]).toEqual([size, 0]);
  });

  it('are refused where they are not there, are others, or may not be read, and nothing is placed', async () => {
    const folder = temporaryFolder();
    const code = async (...args: Parameters<typeof fetch>) => refusalIn(await fetch(...args)).code;
    expect(await code(folder)).toBe('RELEASE_NOT_FOUND');
    expect(await code(folder, '1.4.0', 's3://no-such-bucket/holdfast')).toBe('RELEASE_NOT_FOUND');
    await mirror();
    const Bucket = 'acme-artifacts';
    const Body = readFileSync(join(source, '1.4.0/sbom.cdx.json')).fill(0x20);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'holdfast/1.4.0/sbom.cdx.json', Body }));
    expect(await code(folder)).toBe('RELEASE_ARTIFACT_DIFFERS');
    expect(existsSync(join(folder, '1.4.0'))).toBe(false);
    // What is there under the version stays: it is never replaced by another.
    expect(refusalIn(await mirror()).code).toBe('RELEASE_MIRROR_DIFFERS');
    signIn([]);
    expect(await code(temporaryFolder())).toBe('AWS_REFUSED');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x'.repeat(40));
    expect(await code(temporaryFolder())).toBe('AWS_REFUSED');
  });
});
