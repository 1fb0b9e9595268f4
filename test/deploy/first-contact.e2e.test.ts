import { execFile } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, ListStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../local/aws/index.ts';
import { StateStore } from '../../local/aws/state.ts';
import { startLocalAws, type LocalAws } from '../../local/testbed/local-aws.ts';
import { ASSUMPTIONS } from '../../deploy/first-contact/assumptions.ts';
import type { Report } from '../../deploy/first-contact/run.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/first-contact');
const ACCOUNTS = { node: '111111111111', infrastructure: '444455556666' };

/** Lists what an account holds, and what is not on its way out. */
async function listHeld(aws: LocalAws, accountId: string): Promise<readonly string[]> {
  const roleArn = `arn:aws:iam::${accountId}:role/admin`;
  const credentials = aws.directory.assumeRole({ roleArn, sessionName: 'auditor' });
  const optionsOf = (service: Parameters<LocalAws['clientOptions']>[0]) => ({
    ...aws.clientOptions(service, 'eu-central-1'),
    credentials,
  });
  const kms = new KMSClient(optionsOf('kms'));
  const { Keys = [] } = await kms.send(new ListKeysCommand({}));
  const keys = await Promise.all(
    Keys.map(async ({ KeyArn }) => (await kms.send(new DescribeKeyCommand({ KeyId: KeyArn }))).KeyMetadata),
  );
  const stacks = await new CloudFormationClient(optionsOf('cloudformation')).send(new ListStacksCommand({}));
  const buckets = await new S3Client(optionsOf('s3')).send(new ListBucketsCommand({}));
  const secrets = await new SecretsManagerClient(optionsOf('secretsmanager')).send(
    new ListSecretsCommand({ IncludePlannedDeletion: true }),
  );
  const functions = await new LambdaClient(optionsOf('lambda')).send(new ListFunctionsCommand({}));
  return [
    ...keys.filter((key) => key?.KeyState !== 'PendingDeletion').map((key) => key?.Arn),
    ...(stacks.StackSummaries ?? [])
      .filter(({ StackStatus: status }) => status !== 'DELETE_COMPLETE')
      .map(({ StackName }) => StackName),
    ...(buckets.Buckets ?? []).map(({ Name }) => Name),
    ...(secrets.SecretList ?? []).map(({ Name }) => Name),
    ...aws.directory
      .listRoles(accountId)
      .map(({ name }) => name)
      .filter((name) => name !== 'admin'),
    ...(functions.Functions ?? []).map(({ FunctionName }) => FunctionName),
  ].map((name) => name ?? '');
}

it('finds at the stand-in what it expects of AWS, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'first-contact-'));
  const stateDirectory = join(folder, 'aws');
  const aws = await startLocalAws({ stateDirectory, verifyRecipient: () => ({ pcrs: new Map() }) });
  onTestFinished(() => aws.close());
  let credentials = '';
  for (const [profile, accountId] of Object.entries(ACCOUNTS)) {
    const roleArn = aws.directory.defineRole({
      accountId,
      roleName: 'admin',
      policies: [ADMINISTRATOR_POLICY],
    });
    const session = aws.directory.assumeRole({ roleArn, sessionName: 'contact' });
    credentials += `[${profile}]\naws_access_key_id = ${session.accessKeyId}\naws_secret_access_key = ${session.secretAccessKey}\naws_session_token = ${session.sessionToken ?? ''}\n\n`;
  }
  await writeFile(join(folder, 'credentials'), credentials, { mode: 0o600 });
  await writeFile(join(folder, 'ca.pem'), aws.caPem);
  const output = join(folder, 'report');
  const args = [
    '--node-profile',
    'node',
    '--infrastructure-profile',
    'infrastructure',
    '--region',
    'eu-central-1',
  ];
  const where = ['--endpoint', `https://localhost:${aws.port}`, '--ca', join(folder, 'ca.pem')];
  const env = {
    ...process.env,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'none'),
  };
  const run = promisify(execFile)(SCRIPT, [...args, ...where, '--output', output, '--yes'], { env });
  const { code } = await run.then(
    () => ({ code: 0 }),
    (error: { code: number }) => error,
  );
  const report = JSON.parse(await readFile(`${output}.json`, 'utf8')) as Report;
  expect(report.findings.filter(({ outcome }) => outcome !== 'holds' && outcome !== 'not looked')).toEqual(
    [],
  );
  expect(report.left).toEqual([]);
  expect(report.findings.filter(({ outcome }) => outcome === 'holds')).toHaveLength(
    Object.values(ASSUMPTIONS).filter(({ seenWith }) => seenWith === 'account').length,
  );
  expect(code).toBe(0);
  // What the accounts hold is asked of them, not of the report.
  for (const accountId of Object.values(ACCOUNTS)) expect(await listHeld(aws, accountId)).toEqual([]);
  await aws.close();
  const state = new StateStore(stateDirectory);
  expect(['ec2', 'logs', 'cloudwatch', 'sns', 'ssm'].flatMap((name) => state.list(`record-${name}`))).toEqual(
    [],
  );
  state.close();
}, 300_000);
