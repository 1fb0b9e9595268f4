import {
  DescribeInstanceInformationCommand,
  GetCommandInvocationCommand,
  GetParameterCommand,
  GetParametersCommand,
  ListCommandInvocationsCommand,
  SendCommandCommand,
  SSMClient,
  waitUntilCommandExecuted,
} from '@aws-sdk/client-ssm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADMINISTRATOR_POLICY } from '../../../local/aws/index.ts';
import type { LocalAws } from '../../../local/testbed/local-aws.ts';
import { ACCOUNT, addHost, HOST, REGION, start } from './support.ts';

const SEND = [
  'arn:aws:ssm:eu-central-1::document/AWS-RunShellScript',
  `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${HOST}`,
];

const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });

function open(aws: LocalAws, { accountId = ACCOUNT, policies = [ADMINISTRATOR_POLICY] } = {}): SSMClient {
  const client = new SSMClient({
    ...aws.clientOptions('ssm', REGION),
    credentials: aws.directory.createAccessKey({ accountId, userName: 'ann', policies }),
    maxAttempts: 1,
  });
  onTestFinished(() => client.destroy());
  return client;
}

const send = (line: string, more: object = {}) =>
  new SendCommandCommand({
    DocumentName: 'AWS-RunShellScript',
    InstanceIds: [HOST],
    Parameters: { commands: [line] },
    ...more,
  });

const nameOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof Error ? error.name : 'unknown'),
  );

describe('Systems Manager', () => {
  it('runs a line on an instance, and gives its output', async () => {
    const aws = await start();
    const lines = addHost(aws);
    const client = open(aws);
    const { Command } = await client.send(send('do this'));
    const CommandId = Command?.CommandId ?? '';
    expect(Command).toMatchObject({ Status: 'Pending', InstanceIds: [HOST] });
    await waitUntilCommandExecuted({ client, maxWaitTime: 10, minDelay: 1 }, { CommandId, InstanceId: HOST });
    const found = await client.send(new GetCommandInvocationCommand({ CommandId, InstanceId: HOST }));
    expect(found).toMatchObject({ Status: 'Success', ResponseCode: 0, StandardOutputContent: 'ran do this' });
    expect(lines).toEqual(['do this']);
    const listed = await client.send(new ListCommandInvocationsCommand({ CommandId, Details: true }));
    expect(listed.CommandInvocations).toMatchObject([
      { InstanceId: HOST, Status: 'Success', CommandPlugins: [{ ResponseCode: 0 }] },
    ]);
  });

  it('does not know an invocation at once, as AWS may not', async () => {
    const aws = await start();
    addHost(aws);
    const client = open(aws);
    const { Command } = await client.send(send('x'));
    const question = new GetCommandInvocationCommand({ CommandId: Command?.CommandId, InstanceId: HOST });
    expect(await nameOf(client.send(question))).toBe('InvocationDoesNotExist');
    expect(await nameOf(client.send(question))).toBe('done');
  });

  it('says what failed, and cuts a long output off', async () => {
    const aws = await start();
    addHost(aws, {
      run: () => Promise.resolve({ exit: 3, stdout: 'x'.repeat(30_000), stderr: 'y'.repeat(9_000) }),
    });
    const client = open(aws);
    const { Command } = await client.send(send('x'));
    const question = { CommandId: Command?.CommandId ?? '', InstanceId: HOST };
    await expect.poll(() => nameOf(client.send(new GetCommandInvocationCommand(question)))).toBe('done');
    const found = await client.send(new GetCommandInvocationCommand(question));
    expect(found).toMatchObject({ Status: 'Failed', ResponseCode: 3 });
    expect(found.StandardOutputContent).toHaveLength(24_000);
    expect(found.StandardErrorContent).toHaveLength(8_000);
  });

  it('ends a command at its time-out', async () => {
    const aws = await start();
    addHost(aws, {
      run: (_line, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ exit: 137, stdout: '', stderr: '' }));
        }),
    });
    const client = open(aws);
    const { Command } = await client.send(
      send('x', { Parameters: { commands: ['x'], executionTimeout: ['1'] } }),
    );
    const question = { CommandId: Command?.CommandId ?? '', InstanceId: HOST };
    const status = async () => {
      const found = await client.send(new GetCommandInvocationCommand(question)).catch(() => undefined);
      return found?.StatusDetails;
    };
    await expect.poll(status, { timeout: 10_000 }).toBe('ExecutionTimedOut');
  });

  it('leaves a command waiting for an instance that is down', async () => {
    const aws = await start();
    addHost(aws, { isUp: false });
    const client = open(aws);
    const { InstanceInformationList } = await client.send(
      new DescribeInstanceInformationCommand({ Filters: [{ Key: 'InstanceIds', Values: [HOST] }] }),
    );
    expect(InstanceInformationList).toMatchObject([{ InstanceId: HOST, PingStatus: 'ConnectionLost' }]);
    const { Command } = await client.send(send('x'));
    const listed = await client.send(new ListCommandInvocationsCommand({ CommandId: Command?.CommandId }));
    expect(listed.CommandInvocations).toMatchObject([{ Status: 'Pending' }]);
  });

  it('gives no instance of another account a command, and shows none', async () => {
    const aws = await start();
    const lines = addHost(aws);
    const client = open(aws, { accountId: '444455556666' });
    expect(await nameOf(client.send(send('x')))).toBe('InvalidInstanceId');
    const { InstanceInformationList } = await client.send(new DescribeInstanceInformationCommand({}));
    expect(InstanceInformationList).toEqual([]);
    expect(lines).toEqual([]);
  });

  it('asks for a right to the document and to the instance', async () => {
    const aws = await start();
    const lines = addHost(aws);
    const may = (...Resource: string[]) => [policy({ Effect: 'Allow', Action: 'ssm:SendCommand', Resource })];
    for (const policies of [[], ...SEND.map((resource) => may(resource))]) {
      expect(await nameOf(open(aws, { policies }).send(send('x')))).toBe('AccessDeniedException');
    }
    expect(lines).toEqual([]);
    const client = open(aws, { policies: may(...SEND) });
    expect(await nameOf(client.send(send('x')))).toBe('done');
    expect(await nameOf(client.send(send('x', { DocumentName: 'AWS-RunPatchBaseline' })))).toBe(
      'InvalidDocument',
    );
  });

  it('names a machine image by a public parameter', async () => {
    const aws = await start();
    const client = open(aws);
    const Name = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';
    const { Parameter } = await client.send(new GetParameterCommand({ Name }));
    expect(Parameter?.Value).toMatch(/^ami-[0-9a-f]{17}$/);
    expect(await nameOf(client.send(new GetParameterCommand({ Name: '/mine' })))).toBe('ParameterNotFound');
    const many = await client.send(new GetParametersCommand({ Names: [Name, '/mine'] }));
    expect(many).toMatchObject({ Parameters: [{ Name }], InvalidParameters: ['/mine'] });
  });
});
