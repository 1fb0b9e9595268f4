import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import { ADMINISTRATOR_POLICY } from '../../local/aws/index.ts';
import { copyProgram, type Program } from '../../local/nitro-host/index.ts';
import {
  openTestNode,
  openTestbed,
  runNode,
  type TestNode,
  type Testbed,
} from '../../local/testbed/index.ts';
import { createSecretsManagerSecrets } from '../../parent/artifacts/secrets-manager.ts';
import { refusalIn, runHoldfast } from './in-process.ts';
import { makeConfiguration } from './node-files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const REGION = 'eu-central-1';
const NAME = 'encryptor-master-password';
const PARENT_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }],
});

let folder: string;
let program: Program;
let testbed: Testbed;
let testNode: TestNode;
let parentSecrets: SecretsManagerClient;
let awsArgs: string[];

const at = (name: string): string => join(folder, name);

/** What an admin types; every step must succeed. */
async function holdfast(...args: string[]): Promise<string> {
  const { exit, out, err } = await runHoldfast(args);
  expect([exit, err]).toEqual([0, '']);
  return out;
}

async function putKeyPolicy(...flags: string[]): Promise<void> {
  const role = (name: string) => `arn:aws:iam::${testNode.admin.accountId}:role/${name}`;
  const Policy = await holdfast(
    'key-policy',
    'render',
    '--pcrs',
    at('pcr.json'),
    '--manifest',
    testNode.manifestPath,
    ...flags,
    '--node-role',
    role('holdfast-parent'),
    '--admin',
    role('policy-node-admin'),
  );
  await testNode.admin.kms.send(
    new PutKeyPolicyCommand({ KeyId: testNode.keyArn, PolicyName: 'default', Policy }),
  );
}

const generate = (...flags: string[]) =>
  runHoldfast(['secrets', 'generate', '--manifest', testNode.manifestPath, '--json', ...awsArgs, ...flags]);
const populate = (blob: string, ...flags: string[]) =>
  holdfast(
    'secrets',
    'populate',
    '--manifest',
    testNode.manifestPath,
    '--from',
    `${NAME}=${blob}`,
    '--apply',
    ...awsArgs,
    ...flags,
  );

/** The node, with a parent that reads its secrets from Secrets Manager as the command has put them there. */
async function outcomeOf(): Promise<string> {
  const node = await runNode(testbed, testNode, {
    launch: { program: program.folder },
    parent: (options) => ({
      ...options,
      secrets: createSecretsManagerSecrets({ client: parentSecrets, prefix: 'demo/local/node-1/' }),
    }),
  });
  await node.stop();
  return node.code ?? node.phase;
}

beforeAll(async () => {
  folder = temporaryFolder();
  program = await copyProgram();
  testbed = await openTestbed({ stateDirectory: at('state') });
  testNode = await openTestNode(testbed, { node: 1 });
  const { directory } = testbed.aws;
  const { accountId } = testNode.admin;
  directory.defineRole({ accountId, roleName: 'policy-node-admin', policies: [ADMINISTRATOR_POLICY] });
  directory.defineRole({ accountId, roleName: 'holdfast-parent', policies: [PARENT_POLICY] });
  const { accessKeyId, secretAccessKey, sessionToken } = testNode.admin.credentials();
  await writeFile(
    at('credentials'),
    `[admin]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
  );
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', at('credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', at('config'));
  await writeFile(at('ca.pem'), testbed.aws.caPem);
  awsArgs = [
    '--aws-profile',
    'admin',
    '--endpoint',
    `https://localhost:${testbed.aws.port}`,
    '--ca',
    at('ca.pem'),
  ];
  parentSecrets = new SecretsManagerClient({
    ...testbed.aws.clientOptions('secretsmanager', REGION),
    credentials: () => Promise.resolve(testNode.infrastructure.parentCredentials()),
  });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  parentSecrets.destroy();
  await testbed.close();
  await program.remove();
});

describe('a password that an admin brings', () => {
  it('is made, put in place and used by a node, by the command alone', async () => {
    await writeFile(at('pcr.json'), formatPcrFile(await testbed.host.measure(program.folder)));
    await holdfast('manifest', 'measure', testNode.manifestPath, '--pcrs', at('pcr.json'));
    const { digest } = JSON.parse(await holdfast('manifest', 'verify', testNode.manifestPath, '--json')) as {
      digest: string;
    };
    const initialise = {
      id: 'first-start',
      notAfter: new Date(Date.now() + 3_600_000).toISOString(),
      password: 'supplied',
    } as const;
    await writeFile(at('plain.json'), JSON.stringify(makeConfiguration(digest, 1, { initialise })));
    await holdfast(
      'config',
      'sign',
      at('plain.json'),
      '--key',
      testNode.authority.identity.path,
      '--manifest',
      testNode.manifestPath,
      '--output',
      testNode.configurationPath,
      '--yes',
    );
    await putKeyPolicy();
    expect(refusalIn(await generate('--output', at(NAME))).code).toBe('AWS_REFUSED');
    await putKeyPolicy('--supply');
    expect((await generate('--output', at(NAME))).exit).toBe(0);
    await putKeyPolicy();
    expect(refusalIn(await generate('--output', at('another'))).code).toBe('AWS_REFUSED');

    expect(await outcomeOf()).toBe('PASSWORD_MISSING');
    await populate(at(NAME));
    expect(await outcomeOf()).toBe('serving');
    expect(await outcomeOf()).toBe('serving');
  });

  it('opens no store that another one sealed, and opens it again when it is put back', async () => {
    await putKeyPolicy('--supply');
    const { out } = await generate('--output', at(NAME), '--rotate');
    const { former } = JSON.parse(out) as { former: string };
    await putKeyPolicy();
    await populate(at(NAME), '--rotate', NAME);
    expect(await outcomeOf()).toBe('STORE_ROOT_UNREADABLE');
    await populate(former, '--rotate', NAME);
    expect(await outcomeOf()).toBe('serving');
    expect(await readFile(former)).not.toEqual(await readFile(at(NAME)));
  });
});
