import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateStackCommand,
  DescribeStackEventsCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetBucketVersioningCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { MAX_TEMPLATE_BODY_BYTES, readConsoleTemplate, readTemplate } from '../../../deploy/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { findClient } from '../kms/clients.ts';
import { ACCOUNT, outputsOf, personOf, refused, REGION, settled, startAws } from './cloud.ts';

const run = promisify(execFile);
const python = findClient('python');
const WALLET = '444455556666';

const PARAMETERS = {
  Namespace: 'acme',
  Environment: 'test',
  NodeIndex: '1',
  WalletAccountId: WALLET,
  AdminArns: `arn:aws:iam::${ACCOUNT}:user/ann`,
  GatewayReaderArn: `arn:aws:iam::${WALLET}:role/gateway`,
};
const listed = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

it('carries out the stack of a node: keys born closed, a locked bucket, a secret that its function fills', async () => {
  const aws = await startAws();
  const ann = personOf(aws);
  aws.directory.defineRole({ accountId: WALLET, roleName: 'gateway' });
  const body = await readTemplate('node');
  await ann.cloudFormation.send(
    new CreateStackCommand({
      StackName: 'acme-test-node-1',
      TemplateBody: body,
      Parameters: listed(PARAMETERS),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  const stack = await settled(aws, ann, 'acme-test-node-1');
  const { StackEvents: events = [] } = await ann.cloudFormation.send(
    new DescribeStackEventsCommand({ StackName: 'acme-test-node-1' }),
  );
  const failures = events.flatMap(({ LogicalResourceId, ResourceStatusReason: reason = '' }) =>
    reason === '' || reason === 'User Initiated' ? [] : [`${LogicalResourceId}: ${reason}`],
  );
  expect(failures).toEqual([]);
  expect(stack).toMatchObject({ StackStatus: 'CREATE_COMPLETE' });
  const outputs = outputsOf(stack);
  const locked = await ann.s3.send(new GetObjectLockConfigurationCommand({ Bucket: outputs['BucketName'] }));
  expect(locked.ObjectLockConfiguration?.Rule?.DefaultRetention).toEqual({ Mode: 'GOVERNANCE', Days: 3650 });
  const versioning = await ann.s3.send(new GetBucketVersioningCommand({ Bucket: outputs['BucketName'] }));
  expect(versioning.Status).toBe('Enabled');

  // The gate's policy stays through an update of the stack.
  const key = { KeyId: outputs['KeyArn'] };
  const { Policy: born = '' } = await ann.kms.send(new GetKeyPolicyCommand(key));
  const gated = JSON.stringify({ ...(JSON.parse(born) as object), Id: 'gate' });
  await ann.kms.send(new PutKeyPolicyCommand({ ...key, Policy: gated }));
  await ann.cloudFormation.send(
    new UpdateStackCommand({
      StackName: 'acme-test-node-1',
      UsePreviousTemplate: true,
      Parameters: listed({ ...PARAMETERS, GatewaySecretGeneration: '2' }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
    }),
  );
  expect(await settled(aws, ann, 'acme-test-node-1')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' });
  expect((await ann.kms.send(new GetKeyPolicyCommand(key))).Policy).toBe(gated);
});

it.skipIf(python === undefined)(
  'serves the AWS CLI: validate-template, deploy, describe-stacks',
  async () => {
    const aws = await startAws();
    const ann = personOf(aws);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'ca.pem'), aws.caPem);
    const cli = async (...args: string[]) =>
      await run(join(python ?? '', 'bin/aws'), ['cloudformation', ...args], {
        cwd: folder,
        env: {
          PATH: process.env['PATH'],
          HOME: folder,
          AWS_DEFAULT_REGION: REGION,
          AWS_ACCESS_KEY_ID: ann.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: ann.credentials.secretAccessKey,
          AWS_ENDPOINT_URL: `https://localhost:${aws.port}`,
          AWS_CA_BUNDLE: join(folder, 'ca.pem'),
          AWS_EC2_METADATA_DISABLED: 'true',
          AWS_PAGER: '',
        },
      });
    const { GatewayReaderArn: _reader, ...parameters } = PARAMETERS;
    const templates = {
      node: await readTemplate('node'),
      'infrastructure-1': await readTemplate('infrastructure'),
      'infrastructure-20': await readTemplate('infrastructure', { nodes: 20 }),
      host: await readTemplate('host'),
      'node-console': await readConsoleTemplate(),
    };
    await ann.s3.send(new CreateBucketCommand({ Bucket: 'cf-templates' }));
    const needed: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(templates)) {
      writeFileSync(join(folder, `${name}.yaml`), text);
      // As the console does, with a template that is too long for a request.
      const isLong = Buffer.byteLength(text) > MAX_TEMPLATE_BODY_BYTES;
      if (isLong)
        await ann.s3.send(new PutObjectCommand({ Bucket: 'cf-templates', Key: `${name}.yaml`, Body: text }));
      const validated = await cli(
        'validate-template',
        ...(isLong
          ? ['--template-url', `https://cf-templates.s3.${REGION}.amazonaws.com/${name}.yaml`]
          : ['--template-body', `file://${name}.yaml`]),
      );
      const { Capabilities, Parameters } = JSON.parse(validated.stdout) as {
        Capabilities?: string[];
        Parameters: unknown[];
      };
      expect(Parameters.length).toBeGreaterThan(9);
      needed[name] = Capabilities;
    }
    expect(needed).toEqual({
      node: ['CAPABILITY_IAM'],
      'infrastructure-1': ['CAPABILITY_NAMED_IAM'],
      'infrastructure-20': ['CAPABILITY_NAMED_IAM'],
      host: ['CAPABILITY_IAM'],
      'node-console': ['CAPABILITY_IAM'],
    });
    writeFileSync(join(folder, 'broken.yaml'), templates.host.replace('Ref RoleName', 'Ref NoSuchName'));
    const broken = cli('validate-template', '--template-body', 'file://broken.yaml');
    await expect(broken).rejects.toMatchObject({ stderr: expect.stringContaining('NoSuchName') as unknown });
    const deploy = (...more: string[]) =>
      cli(
        'deploy',
        '--stack-name',
        'acme-test-node-1',
        '--template-file',
        'node.yaml',
        '--parameter-overrides',
        ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
        ...more,
      );
    const refusal = (await deploy().catch((error: unknown) => error)) as { stderr?: string };
    expect(refusal.stderr).toContain('InsufficientCapabilitiesException');
    await deploy('--capabilities', 'CAPABILITY_IAM');
    const again = await deploy('--capabilities', 'CAPABILITY_IAM', '--no-fail-on-empty-changeset');
    expect(again.stdout).toContain('No changes to deploy');
    const described = await cli('describe-stacks', '--stack-name', 'acme-test-node-1', '--output', 'json');
    expect(JSON.parse(described.stdout)).toMatchObject({ Stacks: [{ StackStatus: 'CREATE_COMPLETE' }] });
  },
);

it('lets nobody of another account see or change a stack', async () => {
  const aws = await startAws();
  const [ann, eve] = [personOf(aws), personOf(aws, { accountId: WALLET, userName: 'eve' })];
  const body = JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } });
  const made = await ann.cloudFormation.send(
    new CreateStackCommand({ StackName: 'own', TemplateBody: body }),
  );
  await settled(aws, ann, 'own');
  for (const StackName of ['own', made.StackId ?? '']) {
    const update = new UpdateStackCommand({ StackName, TemplateBody: body });
    expect((await refused(eve.cloudFormation.send(update))).message).toContain('does not exist');
  }
});
