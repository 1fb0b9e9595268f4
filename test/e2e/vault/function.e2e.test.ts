import { createPublicKey, verify } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFunction } from '../../../deploy/index.ts';
import { openConfiguration } from '../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import {
  ofOneNode,
  type PlayedRole,
  type SampleVault,
  type VaultTestbed,
} from '../../../local/testbed/vault/index.ts';
import { sampleKey } from '../../../local/testbed/vault/sample-vault.ts';
import { type KillPlan, PLAN } from './support/kill-at.ts';
import { KILLABLE, openTestbed } from './support/open-testbed.ts';

const REGION = 'eu-central-1';
const FUNCTION_ARN = `arn:aws:lambda:${REGION}:111111111111:function:acme-production-node-1-signing`;
/** Longest message that KMS signs as it is, in bytes. */
const KMS_MESSAGE_BYTES = 4096;

let testbed: VaultTestbed;

const refusal = (code: string, details: object = {}) => ({
  exit: 1,
  said: { error: { code, details } },
});

async function applied(role: PlayedRole) {
  const { exit, said, stderr } = await testbed.apply(role);
  expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
  return said;
}

/** Has a run of `vault apply` end some milliseconds after it has begun a step, and before it tells of it. */
async function killIn(role: PlayedRole, step: string, milliseconds: number): Promise<void> {
  const plan = join(testbed.person(role).folder, PLAN);
  const kill: KillPlan = { done: [], only: step, delays: { [step]: milliseconds } };
  await writeFile(plan, JSON.stringify(kill));
  const { exit } = await testbed.apply(role);
  await rm(plan);
  expect(exit, `killed in ${step}`).toBe(null);
}

/** Options of a client with the credentials of a role. */
const optionsOf = (role: PlayedRole, service: 'iam' | 'lambda' | 's3') => ({
  ...testbed.aws.clientOptions(service, REGION),
  credentials: testbed.clientOptions(role).credentials,
  maxAttempts: 1,
});

const lambdaOf = (role: PlayedRole) => new LambdaClient(optionsOf(role, 'lambda'));

/** Asks the function as somebody does who passes the command by. */
async function invoke(role: PlayedRole, event: object): Promise<Record<string, unknown>> {
  const { Payload = new Uint8Array() } = await lambdaOf(role).send(
    new InvokeCommand({ FunctionName: FUNCTION_ARN, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  return JSON.parse(Buffer.from(Payload).toString()) as Record<string, unknown>;
}

/** File that a step's statement of node 1 names. */
async function fileOf(step: string, name: string): Promise<Buffer> {
  const files = await testbed.listExchangedFiles();
  const found = files.filter((file) => file.includes(`/node-1/${step}/`) && file.endsWith(`-${name}`));
  expect(found).toHaveLength(1);
  return await readFile(found[0] ?? '');
}

/** Configuration of a step, and whose signatures it has. */
async function openSigned(step: 'configuration' | 'final-configuration') {
  const manifest = await fileOf('manifest', 'manifest.json');
  const envelope = await fileOf(step, 'configuration.json');
  const opened = openConfiguration(envelope, {
    manifest: parseManifest(manifest),
    digest: digestManifest(manifest),
  });
  const { payload } = JSON.parse(envelope.toString()) as { payload: string };
  return { ...opened, envelope, payload: Buffer.from(payload, 'base64') };
}

/** What the bucket of the node's admin holds under a prefix, by key. */
async function kept(prefix = 'configurations/'): Promise<Readonly<Record<string, Buffer>>> {
  const { bucket } = (await testbed.readStatement('node-1', 'kms-stack')).facts as { bucket: string };
  const s3 = new S3Client({ ...optionsOf('node-1', 's3'), forcePathStyle: true });
  const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  const found: Record<string, Buffer> = {};
  for (const { Key = '' } of listed.Contents ?? []) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    found[Key] = Buffer.from((await Body?.transformToByteArray()) ?? []);
  }
  s3.destroy();
  return found;
}

async function open(change: (vault: SampleVault) => void) {
  testbed = await openTestbed({
    holdfast: KILLABLE,
    change: (vault) => {
      ofOneNode(vault);
      // A client signs soon after a start, when nothing of its rate is left.
      for (const rule of vault.tenant.rules) rule['rate'] = { count: 600, seconds: 60 };
      change(vault);
    },
  });
  for (const role of ['infrastructure', 'node-1'] as const) {
    const person = testbed.person(role);
    expect(await person.run('vault', 'fetch', '--vault', 'vault.yaml')).toMatchObject({ exit: 0 });
  }
}

/** Has the node sign with the key that it holds, and verifies that. */
async function assertSigns(): Promise<void> {
  const message = Buffer.from('signed under what the function has signed');
  const backend = await testbed.client('wallet-backend');
  const { said: held } = await backend('node', 'keys');
  const [{ publicKey } = { publicKey: '' }] = held['keys'] as readonly { publicKey: string }[];
  const signed = await backend('node', 'sign', 'treasury', '--message', message.toString('hex'));
  expect(signed).toMatchObject({ exit: 0 });
  const x = Buffer.from(publicKey, 'hex').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  expect(verify(null, message, key, Buffer.from(String(signed.said['signature']), 'hex'))).toBe(true);
}

describe('a node whose configurations the function alone signs', { timeout: 1_800_000 }, () => {
  beforeAll(async () => {
    await open((vault) => {
      const [node] = vault.nodes;
      if (node !== undefined) node.configurationAuthority = { threshold: 1, keys: [], function: true };
      // Clients enough that KMS takes no more than the digest of the configuration.
      for (let index = 0; index < 30; index += 1)
        vault.clients.push({ id: `desk-${index}`, publicKey: sampleKey(`desk ${index}`), person: null });
    });
  });
  afterAll(async () => {
    await testbed.close();
  });

  it('gets the function and its first configuration once, though runs are killed in both', async () => {
    await applied('infrastructure');
    await killIn('node-1', 'node-1/signing-function', 300);
    await killIn('node-1', 'node-1/configuration', 100);
    await applied('node-1');
    const { configuration, signers, payload, envelope } = await openSigned('configuration');
    const { signingKey } = (await testbed.readStatement('node-1', 'kms-stack')).facts;
    expect(signers).toEqual([signingKey]);
    expect(configuration.version).toBe(1);
    expect(payload.length).toBeGreaterThan(KMS_MESSAGE_BYTES);
    expect(await kept()).toEqual({ 'configurations/000001.json': envelope });
    expect(await testbed.readStatement('node-1', 'configuration')).toMatchObject({ sequence: 1 });
  });

  it('refuses who comes to the function past the command', async () => {
    const { payload } = await openSigned('configuration');
    const next = JSON.parse(payload.toString()) as Record<string, unknown>;
    const encode = (changes: object) =>
      Buffer.from(JSON.stringify({ ...next, ...changes })).toString('base64');
    const describeIt = async (configuration: string) =>
      (await invoke('node-1', { action: 'describe', configuration })) as {
        description?: { confirmation: string };
        code?: string;
      };
    const [second, other] = [encode({ version: 2 }), encode({ version: 2, clients: [] })];
    const { description } = await describeIt(second);
    const confirmation = description?.confirmation ?? '';
    expect(confirmation).toMatch(/^[0-9a-f]{96}$/);
    // Another digest than the confirmed one; another node's manifest; no newer version.
    expect(
      await invoke('node-1', { action: 'sign', configuration: encode({ version: 3 }), confirmation }),
    ).toMatchObject({ ok: false, code: 'SIGNING_NOT_CONFIRMED' });
    expect(await invoke('node-1', { action: 'sign', configuration: other, confirmation })).toMatchObject({
      ok: false,
    });
    const strange = encode({ version: 2, manifest: '00'.repeat(48) });
    expect(await describeIt(strange)).toMatchObject({ ok: false, code: 'CONFIGURATION_OTHER_MANIFEST' });
    const old = Buffer.from(`${payload.toString()} `).toString('base64');
    expect(await describeIt(old)).toMatchObject({ ok: false, code: 'VERSION_NOT_NEWER' });
    // A caller of another account, who knows the very digest.
    await expect(
      invoke('infrastructure', { action: 'sign', configuration: second, confirmation }),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(Object.keys(await kept())).toEqual(['configurations/000001.json']);
  });

  it('asks no function that somebody has changed, nor takes a signature that could not be written', async () => {
    await applied('infrastructure');
    await applied('node-1');
    await applied('infrastructure');
    const lambda = lambdaOf('node-1');
    const good = await readFunction('config-signing');
    const evil = await readFunction('populate-secret');
    const change = async (ZipFile: Uint8Array) =>
      await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: FUNCTION_ARN, ZipFile }));
    await change(evil.zip);
    expect(await testbed.apply('node-1')).toMatchObject(
      refusal('VAULT_FUNCTION_CHANGED', { field: 'CodeSha256' }),
    );
    await change(good.zip);
    const { Role: roleArn = '' } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: FUNCTION_ARN }),
    );
    lambda.destroy();

    const iam = new IAMClient(optionsOf('node-1', 'iam'));
    const policy = { RoleName: roleArn.split('/').at(-1), PolicyName: 'config-signing' };
    const before = await iam.send(new GetRolePolicyCommand(policy));
    const text = decodeURIComponent(before.PolicyDocument ?? '');
    await iam.send(
      new PutRolePolicyCommand({
        ...policy,
        PolicyDocument: text.replace('s3:PutObject', 's3:PutObjectTagging'),
      }),
    );
    expect(await testbed.apply('node-1')).toMatchObject(
      refusal('VAULT_SIGNING_REFUSED', { reason: 'SIGNING_UNAVAILABLE' }),
    );
    expect(Object.keys(await kept())).toEqual(['configurations/000001.json']);
    await iam.send(new PutRolePolicyCommand({ ...policy, PolicyDocument: text }));
    iam.destroy();
  });

  it('stays with the second configuration, and signs', async () => {
    await killIn('node-1', 'node-1/final-configuration', 100);
    await applied('node-1');
    const { envelope, configuration } = await openSigned('final-configuration');
    expect(configuration.version).toBe(2);
    const all = await kept();
    expect(Object.keys(all)).toEqual(['configurations/000001.json', 'configurations/000002.json']);
    expect(all['configurations/000002.json']).toEqual(envelope);
    expect(await applied('infrastructure')).toMatchObject({ isComplete: true });
    expect(await applied('node-1')).toMatchObject({ done: [], isComplete: true });
    await assertSigns();
  });

  it('has a copy of its log in the bucket of its admin, to which its host appends', async () => {
    const archived = async () => Object.keys(await kept('log/'));
    await expect.poll(archived, { timeout: 120_000 }).toContain('log/checkpoint');
    expect(await archived()).toContainEqual(expect.stringMatching(/^log\/tile\/entries\//));
    const [checkpoint] = Object.values(await kept('log/checkpoint'));
    // Its first line is the origin of the log: C2SP tlog-checkpoint.
    expect(checkpoint?.toString()).toMatch(/^[^\n]*acme[^\n]*\n[0-9]+\n/);
  });
});

describe(
  'a node whose configurations a person and the function sign together',
  { timeout: 1_800_000 },
  () => {
    beforeAll(async () => {
      await open((vault) => {
        const [node] = vault.nodes;
        if (node === undefined) throw new TypeError('expected a node');
        const { keys } = node.configurationAuthority;
        node.configurationAuthority = { threshold: 2, keys, function: true };
      });
    });
    afterAll(async () => {
      await testbed.close();
    });

    it('has no configuration of one of them alone, and signs under one of both', async () => {
      await applied('infrastructure');
      const withoutKey = testbed.argumentsOf('apply', 'node-1').slice(0, -1);
      const words = withoutKey.slice(0, withoutKey.indexOf('--authority-key'));
      expect(await testbed.person('node-1').run(...words, '--yes')).toMatchObject(
        refusal('VAULT_AUTHORITY_MISSING', { expected: 2, actual: 0 }),
      );
      expect(await kept()).toEqual({});
      const rounds: readonly PlayedRole[] = [
        'node-1',
        'infrastructure',
        'node-1',
        'infrastructure',
        'node-1',
      ];
      for (const role of rounds) await applied(role);
      expect(await applied('infrastructure')).toMatchObject({ isComplete: true });
      const { configurationAuthority } = parseManifest(await fileOf('manifest', 'manifest.json'));
      for (const step of ['configuration', 'final-configuration'] as const)
        expect(new Set((await openSigned(step)).signers)).toEqual(new Set(configurationAuthority.keys));
      expect(Object.keys(await kept())).toEqual(['configurations/000001.json', 'configurations/000002.json']);
      await assertSigns();
    });
  },
);
