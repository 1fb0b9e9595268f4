import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import { formatSection } from '../../../local/testbed/aws-profiles.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { REGION } from './clients.ts';

const ACCOUNT = '111122223333';
const run = promisify(execFile);
const python = findMadeOrSay(
  'S3 and Lambda were not shown to the AWS CLI and boto3',
  'kms-client.sh',
  'python',
);

describe.skipIf(python === undefined)('the AWS CLI and boto3', () => {
  let aws: LocalAws;
  let folder: string;
  let environment: Record<string, string>;

  beforeEach(async () => {
    aws = await startLocalAws({ verifyRecipient: () => ({ pcrs: new Map() }) });
    onTestFinished(() => aws.close());
    folder = temporaryFolder();
    const credentials = aws.directory.createAccessKey({
      accountId: ACCOUNT,
      userName: 'person',
      policies: [ADMINISTRATOR_POLICY],
    });
    writeFileSync(join(folder, 'ca.pem'), aws.caPem);
    writeFileSync(
      join(folder, 'config'),
      formatSection('default', {
        region: REGION,
        endpoint_url: `https://127.0.0.1:${aws.port}`,
        ca_bundle: join(folder, 'ca.pem'),
      }),
    );
    environment = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  });

  async function cli(...words: readonly string[]): Promise<string> {
    const { stdout } = await run(join(python ?? '', 'bin/aws'), words, { env: environment, cwd: folder });
    return stdout;
  }

  async function script(text: string): Promise<unknown> {
    const { stdout } = await run(join(python ?? '', 'bin/python'), ['-c', text], {
      env: environment,
      cwd: folder,
    });
    return JSON.parse(stdout);
  }

  it('copy an image of 40 megabytes to a bucket in parts, and back', async () => {
    const image = randomBytes(40 * 1024 * 1024);
    writeFileSync(join(folder, 'enclave.eif'), image);
    await script(`
import boto3, json
s3 = boto3.client('s3')
s3.create_bucket(Bucket='artifacts', CreateBucketConfiguration={'LocationConstraint': '${REGION}'})
s3.upload_file('enclave.eif', 'artifacts', '1.0.0/enclave.eif')
s3.download_file('artifacts', '1.0.0/enclave.eif', 'back.eif')
print(json.dumps({}))
`);
    expect(aws.s3.latest('artifacts', '1.0.0/enclave.eif')?.content?.parts).toBe(5);
    const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(hash(readFileSync(join(folder, 'back.eif')))).toBe(hash(image));
    aws.s3.deleteLatest(aws.s3.bucket('artifacts'), '1.0.0/enclave.eif');
    // Neither a body nor a part of what is gone stays behind.
    expect(await readdir(aws.s3.store.incoming)).toEqual([]);
    expect(await readdir(join(aws.s3.store.incoming, '../data'))).toEqual([]);
  });

  it('copy by the command line', async () => {
    aws.s3.createBucket({ name: 'artifacts', accountId: ACCOUNT, region: REGION });
    const image = randomBytes(10 * 1024 * 1024);
    writeFileSync(join(folder, 'enclave.eif'), image);
    await cli('s3', 'cp', 'enclave.eif', 's3://artifacts/a/enclave.eif', '--no-progress');
    expect((await aws.s3.getObject('artifacts', 'a/enclave.eif'))?.equals(image)).toBe(true);
  });

  it('put a stream in chunks, and use pre-signed URLs', async () => {
    const result = await script(`
import boto3, json, io, urllib.request, ssl, os
from botocore.config import Config
s3 = boto3.client('s3')
s3.create_bucket(Bucket='chunks', CreateBucketConfiguration={'LocationConstraint': '${REGION}'})
out = {}
for algorithm in ['CRC32', 'SHA256']:
    s3.put_object(Bucket='chunks', Key=algorithm, Body=io.BytesIO(b'x' * 200000), ChecksumAlgorithm=algorithm)
    out[algorithm] = s3.head_object(Bucket='chunks', Key=algorithm, ChecksumMode='ENABLED')['Checksum' + algorithm]
s3.put_object(Bucket='chunks', Key='weird/ü &+%2F.txt', Body=b'w', Metadata={'a': 'b'})
out['keys'] = [o['Key'] for o in s3.list_objects_v2(Bucket='chunks')['Contents']]
context = ssl.create_default_context(cafile=os.path.join(os.getcwd(), 'ca.pem'))
signed = boto3.client('s3', config=Config(signature_version='s3v4'))
def ask(method, url, data=None, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method, headers=headers), context=context) as r:
            return [r.status, r.read().decode()]
    except urllib.error.HTTPError as e:
        text = e.read().decode()
        return [e.code, text[text.index('<Code>') + 6:text.index('</Code>')]]
put = signed.generate_presigned_url('put_object', Params={'Bucket': 'chunks', 'Key': 'by url'}, ExpiresIn=60)
get = signed.generate_presigned_url('get_object', Params={'Bucket': 'chunks', 'Key': 'by url'}, ExpiresIn=60)
out['put'] = ask('PUT', put, b'hello', {'content-type': ''})[0]
out['get'] = ask('GET', get)
out['other'] = ask('GET', get.replace('by%20url', 'CRC32'))
out['method'] = ask('PUT', get, b'evil', {'content-type': ''})
out['longer'] = ask('GET', get.replace('X-Amz-Expires=60', 'X-Amz-Expires=600'))
out['header'] = ask('GET', get, None, {'x-amz-meta-a': 'b'})
out['anonymous'] = ask('GET', get.split('?')[0])
print(json.dumps(out))
`);
    expect(result).toMatchObject({
      keys: ['CRC32', 'SHA256', 'weird/ü &+%2F.txt'],
      put: 200,
      get: [200, 'hello'],
      other: [403, 'SignatureDoesNotMatch'],
      method: [403, 'SignatureDoesNotMatch'],
      longer: [403, 'SignatureDoesNotMatch'],
      header: [403, 'AccessDenied'],
      anonymous: [403, 'AccessDenied'],
    });
  });

  it('are told of wrong secrets, tokens, Regions and clocks by S3’s names', async () => {
    const result = await script(`
import boto3, json, os, datetime
import botocore.auth
from botocore.exceptions import ClientError
boto3.client('s3').create_bucket(Bucket='names', CreateBucketConfiguration={'LocationConstraint': '${REGION}'})
def ask(**settings):
    try:
        boto3.client('s3', **settings).list_objects_v2(Bucket='names')
        return 'done'
    except ClientError as e:
        return e.response['Error']['Code']
out = {
  'good': ask(),
  'secret': ask(aws_access_key_id=os.environ['AWS_ACCESS_KEY_ID'], aws_secret_access_key='wrong'),
  'key': ask(aws_access_key_id='AKIAAAAAAAAAAAAAAAAA', aws_secret_access_key='wrong'),
  'token': ask(aws_access_key_id=os.environ['AWS_ACCESS_KEY_ID'], aws_secret_access_key=os.environ['AWS_SECRET_ACCESS_KEY'], aws_session_token='x'),
}
print(json.dumps(out))
`);
    expect(result).toEqual({
      good: 'done',
      secret: 'SignatureDoesNotMatch',
      key: 'InvalidAccessKeyId',
      token: 'InvalidToken',
    });
  });

  it('invoke functions', async () => {
    const trustPolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
      ],
    });
    const role = aws.directory.defineRole({ accountId: ACCOUNT, roleName: 'doubler', trustPolicy });
    writeFileSync(join(folder, 'index.js'), 'exports.handler = async (event) => ({ doubled: event.n * 2 });');
    const made = await script(`
import boto3, io, json, zipfile
code = io.BytesIO()
with zipfile.ZipFile(code, 'w', zipfile.ZIP_DEFLATED) as z: z.write('index.js')
client = boto3.client('lambda')
client.create_function(FunctionName='doubler', Runtime='nodejs24.x', Handler='index.handler', Role='${role}', Code={'ZipFile': code.getvalue()})
client.get_waiter('function_active_v2').wait(FunctionName='doubler')
print(json.dumps({'arn': client.get_function(FunctionName='doubler')['Configuration']['FunctionArn']}))
`);
    const { arn } = made as { arn: string };
    await cli('lambda', 'invoke', '--function-name', arn, '--payload', '{"n":21}', 'out.json');
    expect(JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8'))).toEqual({ doubled: 42 });
  });
});
