import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import type { InvocationRecord } from '../../../local/lambda/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { nameOfError, type Person, REGION } from '../s3/clients.ts';

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const FunctionName = 'vault-function';

let aws: LocalAws;
let client: LambdaClient;
let role: string;
let tries: InvocationRecord[];

beforeEach(async () => {
  tries = [];
  aws = await startLocalAws({
    verifyRecipient: () => ({ pcrs: new Map() }),
    onInvocation: (invocation) => tries.push(invocation),
  });
  onTestFinished(() => aws.close());
  role = aws.directory.defineRole({
    accountId: ACCOUNT,
    roleName: 'function-role',
    policies: [
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: 'arn:aws:s3:::results/*' }],
      }),
    ],
  });
  client = open({ accountId: ACCOUNT });
});

function open(person: Person): LambdaClient {
  const opened = new LambdaClient({
    ...aws.clientOptions('lambda', REGION),
    credentials: aws.directory.createAccessKey({
      userName: 'person',
      policies: [ADMINISTRATOR_POLICY],
      ...person,
    }),
    maxAttempts: 1,
  });
  onTestFinished(() => opened.destroy());
  return opened;
}

/** A process that nobody has waited for yet is a zombie, and runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Makes an archive with a program that shares nothing with the reader. */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const program =
    'import sys,zipfile\nz=zipfile.ZipFile("out.zip","w",zipfile.ZIP_DEFLATED)\nfor n in sys.argv[1:]: z.write(n)\nz.close()';
  execFileSync('python3', ['-c', program, ...Object.keys(files)], { cwd: folder });
  return readFileSync(join(folder, 'out.zip'));
}

async function create(source: string, more: object = {}, file = 'index.js'): Promise<void> {
  await client.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: role,
      Code: { ZipFile: zip({ [file]: source }) },
      ...more,
    }),
  );
}

async function invoke(more: Partial<InvokeCommandInput> = {}, using = client) {
  const { Payload, FunctionError, StatusCode, LogResult } = await using.send(
    new InvokeCommand({ FunctionName, ...more }),
  );
  const text = Payload?.transformToString() ?? '';
  return {
    error: FunctionError,
    status: StatusCode,
    result: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown>,
    log: Buffer.from(LogResult ?? '', 'base64').toString(),
  };
}

const tell = async (asked: Promise<unknown>): Promise<string> => await asked.then(() => 'done', nameOfError);

describe('an invocation', () => {
  it('has the event, a context, and an environment of its own', async () => {
    await create(
      `exports.handler = async (event, context) => {
        console.log('seen', event.x);
        return { event, left: context.getRemainingTimeInMillis(), name: context.functionName,
          arn: context.invokedFunctionArn, id: context.awsRequestId, env: Object.keys(process.env), own: process.env.OWN };
      };`,
      { Environment: { Variables: { OWN: 'mine' } }, Timeout: 20 },
    );
    const { result, error, log } = await invoke({ Payload: JSON.stringify({ x: 7 }), LogType: 'Tail' });
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ event: { x: 7 }, own: 'mine', name: FunctionName });
    expect(result['arn']).toBe(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`);
    expect(result['left']).toBeGreaterThan(1000);
    expect(result['left']).toBeLessThanOrEqual(20_000);
    expect(log).toContain('seen 7');
    const known = /^(?:AWS_|LAMBDA_|LANG$|TZ$|PATH$|HOME$|OWN$|_HANDLER$|NODE_EXTRA_CA_CERTS$|NODE_CHANNEL_)/;
    expect((result['env'] as string[]).filter((name) => !known.test(name))).toEqual([]);
  });

  it('may use AWS with the role of the function, and nothing else', async () => {
    for (const name of ['results', 'private'])
      aws.s3.createBucket({ name, accountId: ACCOUNT, region: REGION });
    await create(
      `const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3');
      exports.handler = async ({ Bucket }) => {
        try { await new S3Client({}).send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'from a function' })); }
        catch (error) { return error.name; }
        return 'put';
      };`,
      { Timeout: 60 },
    );
    expect((await invoke({ Payload: '{"Bucket":"results"}' })).result).toBe('put');
    expect((await aws.s3.getObject('results', 'k'))?.toString()).toBe('from a function');
    expect((await invoke({ Payload: '{"Bucket":"private"}' })).result).toBe('AccessDenied');
  });

  it.each([
    ['a rejection', `exports.handler = async () => { throw new RangeError('no') };`, 'RangeError', 'no'],
    ['a throw', `exports.handler = () => { throw new TypeError('bad') };`, 'TypeError', 'bad'],
    ['no handler', `exports.other = 1;`, 'Runtime.HandlerNotFound', /undefined or not exported/],
    ['a module that is missing', `require('left-pad');`, 'Runtime.ImportModuleError', /Cannot find module/],
    ['what does not parse', `exports.handler = {`, 'Runtime.UserCodeSyntaxError', /SyntaxError/],
    ['a process that ends', `exports.handler = async () => process.exit(3);`, 'Runtime.ExitError', /exited/],
    [
      'a callback in a runtime without them',
      `exports.handler = (e, c, done) => done(null, 1);`,
      'Runtime.CallbackHandlerDeprecated',
      /callback/,
    ],
  ])('tells of %s', async (_, source, errorType, errorMessage) => {
    await create(source);
    const { result, error, status } = await invoke();
    expect({ error, status }).toEqual({ error: 'Unhandled', status: 200 });
    expect(result).toMatchObject({ errorType });
    expect(result['errorMessage']).toEqual(
      typeof errorMessage === 'string' ? errorMessage : expect.stringMatching(errorMessage),
    );
  });

  it('is killed when its time is over, with what it has started', async () => {
    await create(
      `const { spawn } = require('node:child_process');
      exports.handler = () => new Promise(() => {
        const child = spawn('sleep', ['600'], { env: { PATH: '/bin:/usr/bin' } });
        console.log('started', child.pid);
        setInterval(() => {}, 1000);
      });`,
      { Timeout: 3 },
    );
    const { result, log } = await invoke({ LogType: 'Tail' });
    expect(result).toMatchObject({ errorType: 'Sandbox.Timedout' });
    const pid = Number(/started ([0-9]+)/.exec(log)?.[1]);
    expect(pid).toBeGreaterThan(1);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it('takes callbacks and modules where the runtime does', async () => {
    await create(`exports.handler = (e, c, done) => setTimeout(() => done(null, 'called'), 10);`, {
      Runtime: 'nodejs22.x',
    });
    expect((await invoke()).result).toBe('called');
    await client.send(
      new UpdateFunctionCodeCommand({
        FunctionName,
        ZipFile: zip({ 'index.mjs': `export const handler = async () => import.meta.url.slice(0, 5);` }),
      }),
    );
    expect((await invoke()).result).toBe('file:');
  });

  it('may come later, and is tried again when it fails', async () => {
    await create(`exports.handler = async () => { throw new Error('again') };`);
    expect((await invoke({ InvocationType: 'Event' })).status).toBe(202);
    await expect.poll(() => tries.map(({ attempt }) => attempt), { timeout: 30_000 }).toEqual([1, 2, 3]);
    expect(new Set(tries.map(({ requestId }) => requestId)).size).toBe(1);
  });
});

describe('a function', () => {
  it('is made once, shown, changed and deleted', async () => {
    await create(`exports.handler = async () => 1;`);
    expect(await tell(create(`exports.handler = async () => 2;`))).toBe('ResourceConflictException');
    const { Configuration } = await client.send(new GetFunctionCommand({ FunctionName }));
    expect(Configuration).toMatchObject({ State: 'Active', Timeout: 3, MemorySize: 128, Role: role });
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 9 }));
    expect((await client.send(new GetFunctionCommand({ FunctionName }))).Configuration?.Timeout).toBe(9);
    await client.send(new DeleteFunctionCommand({ FunctionName }));
    expect(await tell(invoke())).toBe('ResourceNotFoundException');
  });

  it('takes no reserved variable, no archive that is none, and no file outside of its folder', async () => {
    const variables = { Environment: { Variables: { AWS_ACCESS_KEY_ID: 'x' } } };
    expect(await tell(create('', variables))).toBe('InvalidParameterValueException');
    expect(await tell(create('', { Code: { ZipFile: Buffer.from('none') } }))).toBe(
      'InvalidParameterValueException',
    );
    const evil = Buffer.from(
      zip({ 'abcdef.js': '' }).toString('latin1').replaceAll('abcdef.js', '../abc.js'),
      'latin1',
    );
    expect(await tell(create('', { Code: { ZipFile: evil } }))).toBe('InvalidParameterValueException');
  });

  it('gets a role only from somebody who may pass it', async () => {
    const clerk = open({
      accountId: ACCOUNT,
      userName: 'clerk',
      policies: [
        JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'lambda:*', Resource: '*' }],
        }),
      ],
    });
    const asked = new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: role,
      Code: { ZipFile: zip({ 'index.js': '' }) },
    });
    expect(await tell(clerk.send(asked))).toBe('AccessDeniedException');
  });

  it('is nothing to another account, unless its policy lets it', async () => {
    await create(`exports.handler = async () => 'mine';`);
    const stranger = open({ accountId: OTHER });
    const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`;
    expect(await tell(invoke({ FunctionName: arn }, stranger))).toBe('AccessDeniedException');
    await client.send(
      new AddPermissionCommand({
        FunctionName,
        StatementId: 'other',
        Action: 'lambda:InvokeFunction',
        Principal: OTHER,
      }),
    );
    expect((await invoke({ FunctionName: arn }, stranger)).result).toBe('mine');
    expect(await tell(stranger.send(new DeleteFunctionCommand({ FunctionName: arn })))).toBe(
      'AccessDeniedException',
    );
  });

  it('may have its code in a bucket, which its maker may read', async () => {
    aws.s3.createBucket({ name: 'code', accountId: ACCOUNT, region: REGION });
    await aws.s3.putObject('code', 'f.zip', zip({ 'index.js': `exports.handler = async () => 'from S3';` }));
    await create('', { Code: { S3Bucket: 'code', S3Key: 'f.zip' } });
    expect((await invoke()).result).toBe('from S3');
    aws.s3.createBucket({ name: 'theirs', accountId: OTHER, region: REGION });
    await aws.s3.putObject('theirs', 'f.zip', zip({ 'index.js': '' }));
    const update = new UpdateFunctionCodeCommand({ FunctionName, S3Bucket: 'theirs', S3Key: 'f.zip' });
    expect(await tell(client.send(update))).toBe('AccessDeniedException');
  });
});
