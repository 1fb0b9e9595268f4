import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { deriveStacks, stackNames } from '../../../admin/vault/index.ts';
import {
  ADMINISTRATOR_POLICY,
  type AwsCredentials,
  PrincipalDirectory,
} from '../../../local/aws/directory.ts';
import { AwsServiceError, type QueryService } from '../../../local/aws/plumbing.ts';
import { startAwsServer } from '../../../local/aws/server.ts';
import { StateStore } from '../../../local/aws/state.ts';
import { openAuthority } from '../../../local/aws/tls.ts';
import { createKmsService } from '../../../local/kms/index.ts';
import { createStsService } from '../../../local/sts/index.ts';
import { encodeVault, makeSampleVault, parseSample } from '../../admin/vault/sample-vault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { runHoldfast } from '../in-process.ts';

const NODE_1 = '111111111111';
const REGION = 'eu-central-1';
const { document } = parseSample();

/** Stacks by account and name, as CloudFormation lists them. */
type Stacks = Map<string, object>;

/** Describes stacks that a test has set; whoever asks sees those of their own account. */
function listStacks(stacks: Stacks): QueryService {
  return {
    protocol: 'query',
    name: 'cloudformation',
    version: '2010-05-15',
    namespace: 'http://cloudformation.amazonaws.com/doc/2010-05-15/',
    operations: {
      DescribeStacks: ({ credential, input }) => {
        const { StackName: name } = input as { StackName: string };
        const stack = stacks.get(`${credential.caller.accountId} ${name}`);
        if (stack === undefined)
          throw new AwsServiceError('ValidationError', `Stack with id ${name} does not exist`);
        return { Stacks: [stack] };
      },
      ListStacks: () => ({ StackSummaries: [] }),
    },
  };
}

async function startWorld() {
  const folder = temporaryFolder();
  const directory = new PrincipalDirectory(Date.now);
  const state = new StateStore(undefined);
  const authority = openAuthority(state, Date.now());
  const stacks: Stacks = new Map();
  const server = await startAwsServer({
    services: [
      createKmsService({ state, verifyRecipient: () => ({ pcrs: new Map() }) }),
      createStsService({ directory }),
      listStacks(stacks),
    ],
    directory,
    authority,
    clock: Date.now,
  });
  onTestFinished(async () => {
    await server.close();
    state.close();
    vi.unstubAllEnvs();
  });
  for (const name of Object.keys(process.env).filter((key) => key.startsWith('AWS_')))
    vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'));
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  const sections: string[] = [];
  const signIn = (profile: string, accountId: string, roleName: string): AwsCredentials => {
    const roleArn = directory.defineRole({ accountId, roleName, policies: [ADMINISTRATOR_POLICY] });
    const credentials = directory.assumeRole({ roleArn, sessionName: 'ann' });
    sections.push(
      `[${profile}]\naws_access_key_id = ${credentials.accessKeyId}\naws_secret_access_key = ${credentials.secretAccessKey}\naws_session_token = ${credentials.sessionToken ?? ''}\n`,
    );
    writeFileSync(join(folder, 'credentials'), sections.join('\n'), { mode: 0o600 });
    return credentials;
  };
  writeFileSync(join(folder, 'ca.pem'), authority.caPem);
  writeFileSync(join(folder, 'vault.yaml'), encodeVault(makeSampleVault()));
  const endpoint = `https://localhost:${server.port}`;
  const check = async (...more: string[]) => {
    const args = [
      'vault',
      'check',
      '--vault',
      join(folder, 'vault.yaml'),
      '--endpoint',
      endpoint,
      '--ca',
      join(folder, 'ca.pem'),
    ];
    const { exit, out } = await runHoldfast([...args, ...more, '--json']);
    const { findings, accounts } = JSON.parse(out) as {
      findings: { code: string; path: string }[];
      accounts: { role: string; as: string | null }[];
    };
    // What the description itself is lacking is another test's matter.
    const others = ['CONFIGURATION_FINDING', 'UPGRADE_PROOF_MISSING'];
    const codes = findings.map(({ code }) => code).filter((code) => !others.includes(code));
    return { exit, codes, seen: accounts.filter(({ as }) => as !== null).map(({ role }) => role) };
  };
  const openKms = (credentials: AwsCredentials) =>
    new KMSClient({
      region: REGION,
      endpoint,
      credentials,
      requestHandler: { httpsAgent: { ca: authority.caPem } },
    });
  return { stacks, signIn, check, openKms };
}

let world: Awaited<ReturnType<typeof startWorld>>;
beforeEach(async () => {
  world = await startWorld();
});

const STACK = stackNames.node(document, 1);
function describeStack(keyArn: string, changes: Record<string, string> = {}): object {
  const { parameters } = deriveStacks(document).find(({ name }) => name === STACK) ?? { parameters: {} };
  return {
    StackName: STACK,
    StackId: `arn:aws:cloudformation:${REGION}:${NODE_1}:stack/${STACK}/1`,
    StackStatus: 'CREATE_COMPLETE',
    CreationTime: '2026-12-01T00:00:00Z',
    Parameters: Object.entries({ ...parameters, ...changes }).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue,
    })),
    Outputs: [{ OutputKey: 'KeyArn', OutputValue: keyArn }],
  };
}

describe('holdfast vault check, with credentials at hand', () => {
  it('looks at the account that the credentials are of, and at no other', async () => {
    world.signIn('ann', NODE_1, 'admin-of-1');
    expect(await world.check('--aws-profile', 'ann')).toEqual({ exit: 0, codes: [], seen: ['node-1'] });
    expect(await world.check('--aws-profile', 'ann', '--offline')).toEqual({ exit: 0, codes: [], seen: [] });
  });

  it('looks at several accounts, each with the profile that is named for it', async () => {
    world.signIn('ann', NODE_1, 'admin-of-1');
    world.signIn('ida', '444455556666', 'admin-of-4');
    const profiles = ['--aws-profile-of', 'node-1=ann', '--aws-profile-of', 'infrastructure=ida'];
    expect(await world.check(...profiles)).toMatchObject({ exit: 0, seen: ['infrastructure', 'node-1'] });
  });

  it('finds credentials of another account, and of somebody who is no admin', async () => {
    world.signIn('ida', '444455556666', 'admin-of-4');
    world.signIn('eve', NODE_1, 'developer');
    expect(await world.check('--role', 'node-1', '--aws-profile', 'ida')).toMatchObject({
      exit: 1,
      codes: ['CREDENTIALS_OF_OTHER_ACCOUNT'],
    });
    expect(await world.check('--role', 'node-1', '--aws-profile', 'eve')).toMatchObject({
      exit: 1,
      codes: ['CREDENTIALS_OF_NO_ADMIN'],
    });
  });

  it('finds a stack of another node, and a key that cannot be used', async () => {
    const credentials = world.signIn('ann', NODE_1, 'admin-of-1');
    const kms = world.openKms(credentials);
    const { KeyMetadata: key } = await kms.send(new CreateKeyCommand({}));
    const keyArn = key?.Arn ?? '';
    world.stacks.set(`${NODE_1} ${STACK}`, describeStack(keyArn));
    expect(await world.check('--role', 'node-1', '--aws-profile', 'ann')).toMatchObject({
      exit: 0,
      codes: [],
    });
    world.stacks.set(`${NODE_1} ${STACK}`, describeStack(keyArn, { NodeIndex: '2' }));
    await kms.send(new DisableKeyCommand({ KeyId: keyArn }));
    kms.destroy();
    expect(await world.check('--role', 'node-1', '--aws-profile', 'ann')).toMatchObject({
      exit: 1,
      codes: ['STACK_PARAMETERS_DIFFER', 'KMS_KEY_NOT_USABLE'],
    });
  });

  it('says that nothing was seen where credentials are none', async () => {
    expect(await world.check('--role', 'node-1', '--aws-profile', 'nobody')).toEqual({
      exit: 0,
      codes: ['ACCOUNT_NOT_SEEN'],
      seen: [],
    });
  });
});
