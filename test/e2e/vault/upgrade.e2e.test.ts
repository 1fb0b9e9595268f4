import { GetKeyPolicyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sampleKey } from '../../../local/testbed/vault/sample-vault.ts';
import {
  CEREMONY_ROUNDS,
  type PlayedRole,
  ROLES,
  type Said,
  type SampleVault,
  type VaultTestbed,
} from '../../../local/testbed/vault/index.ts';
import { openTestbed } from './support/open-testbed.ts';

const NODES = ['node-1', 'node-2', 'node-3'] as const;
const VERSION = '1.5.0';
const DAY_MS = 86_400_000;
const UNTIL = new Date(Date.now() + 7 * DAY_MS).toISOString().slice(0, 10);
let testbed: VaultTestbed;

async function together(roles: readonly PlayedRole[], act: (role: PlayedRole) => Promise<unknown>) {
  await Promise.all(roles.map(async (role) => await act(role)));
}

/** Words of a verb of the upgrade, as a role types them. */
function words(verb: 'plan' | 'apply' | 'rollback' | 'resume', role: PlayedRole): readonly string[] {
  const forward =
    verb === 'apply' || verb === 'plan'
      ? ['--to', VERSION, ...(role === 'infrastructure' ? [] : ['--until', UNTIL])]
      : [];
  const client =
    role === 'infrastructure'
      ? [
          '--client',
          'wallet-backend',
          '--key',
          testbed.keys.clients.get('wallet-backend') ?? '',
          '--sign-key',
          'treasury',
        ]
      : [];
  const yes = verb === 'plan' ? [] : ['--yes'];
  return ['vault', 'upgrade', verb, ...testbed.optionsOf(role), ...forward, ...client, ...yes];
}

const upgrade = async (verb: Parameters<typeof words>[0], role: PlayedRole, ...more: readonly string[]) =>
  await testbed.person(role).run(...words(verb, role), ...more);

const refusal = (code: string, details: object = {}) => ({ exit: 1, said: { error: { code, details } } });

function expectDone(role: PlayedRole, { exit, said, stderr }: Said): void {
  expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
}

const done =
  (verb: Parameters<typeof words>[0]) =>
  async (role: PlayedRole, ...more: readonly string[]) => {
    expectDone(role, await upgrade(verb, role, ...more));
  };

const status = async (role: PlayedRole) => await testbed.person(role).run('vault', 'upgrade', 'status');

/** Deployments that hosts have been told, by the number of the node. */
const deployments: number[] = [];
function watchDeployments(): void {
  testbed.onRequest(({ operation }) => {
    if (operation === 'SendCommand') deployments.push(deployments.length);
  });
}

/** Client of KMS with the credentials of a node's admin, and the node's key. */
async function kmsOf(role: PlayedRole) {
  const { keyArn } = (await testbed.readStatement(role, 'kms-stack')).facts as { keyArn: string };
  const { credentials } = testbed.clientOptions(role);
  const client = new KMSClient({ ...testbed.aws.clientOptions('kms', 'eu-central-1'), credentials });
  return { client, keyArn };
}

async function readPolicy(role: PlayedRole): Promise<string> {
  const { client, keyArn } = await kmsOf(role);
  const { Policy: policy = '' } = await client.send(
    new GetKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default' }),
  );
  return policy;
}

async function putPolicy(role: PlayedRole, policy: string): Promise<void> {
  const { client, keyArn } = await kmsOf(role);
  await client.send(new PutKeyPolicyCommand({ KeyId: keyArn, PolicyName: 'default', Policy: policy }));
}

async function signs(pcrFile: string): Promise<void> {
  const backend = await testbed.client('wallet-backend', pcrFile);
  expect(await backend('quorum', 'sign', 'treasury', '--message', '00')).toMatchObject({ exit: 0 });
}

beforeAll(async () => {
  testbed = await openTestbed({
    change: (vault) => {
      for (const rule of vault.tenant.rules) rule['rate'] = { count: 1000, seconds: 60 };
    },
  });
  await testbed.publish(VERSION);
  await together(ROLES, async (role) => {
    const person = testbed.person(role);
    expectDone(role, await person.run('vault', 'fetch', '--vault', 'vault.yaml'));
    expectDone(role, await person.run('vault', 'fetch', VERSION, '--vault', 'vault.yaml'));
  });
  for (const roles of CEREMONY_ROUNDS)
    await together(roles, async (role) => expectDone(role, await testbed.apply(role)));
  const owner = await testbed.client('operations');
  expectDone('infrastructure', await owner('quorum', 'keys', 'generate', 'treasury'));
  watchDeployments();
}, 600_000);
afterAll(async () => {
  await testbed.close();
});

/** Description with one client more, as an admin would edit a copy of vault.yaml. */
async function writeRules(ids: readonly string[]): Promise<void> {
  for (const role of NODES) {
    const { folder } = testbed.person(role);
    const rules = parse(await readFile(join(folder, 'vault.yaml'), 'utf8')) as SampleVault;
    for (const id of ids) rules.clients.push({ id, publicKey: sampleKey(id), person: null });
    await writeFile(join(folder, 'rules.yaml'), JSON.stringify(rules));
  }
}

const configure = async (role: PlayedRole) =>
  await testbed
    .person(role)
    .run(
      'vault',
      'configure',
      'apply',
      ...(role === 'infrastructure' ? [] : ['--rules', 'rules.yaml']),
      ...testbed.optionsOf(role),
      '--yes',
    );

/** Ids of the clients that every node knows, as the statements have it. */
async function expectClients(ids: readonly string[]): Promise<void> {
  const { said } = await testbed.person('node-2').run('vault', 'status');
  const { configurations } = said as { configurations: { clients: string[]; waitsFor: unknown }[] };
  expect(configurations).toHaveLength(NODES.length);
  const clients = expect.arrayContaining(['wallet-backend', 'operations', ...ids]) as string[];
  for (const one of configurations) expect(one).toMatchObject({ clients, waitsFor: null });
}

describe('rules that were signed after the ceremony', { timeout: 600_000 }, () => {
  it('are brought to one node after the other, and leave the quorum signing', async () => {
    await writeRules(['desk']);
    await together(NODES, async (role) => expectDone(role, await configure(role)));
    expectDone('infrastructure', await configure('infrastructure'));
    await expectClients(['desk']);
    await signs(testbed.pcrFile);
    for (const role of ROLES) expect(await configure(role)).toMatchObject({ exit: 0, said: { done: [] } });
    deployments.length = 0;
  });
});

describe('an upgrade of a vault', { timeout: 600_000 }, () => {
  it('stops at a canary that KMS refuses, touches nothing further, and keeps the first ceremony away', async () => {
    await together(NODES, done('apply'));
    await done('apply')('infrastructure', '--canary', '2');
    expect(deployments).toHaveLength(6);
    const before = await readPolicy('node-2');
    await together(NODES, done('apply'));
    expect(await testbed.apply('node-1')).toMatchObject(refusal('VAULT_UPGRADE_UNDER_WAY', { to: VERSION }));
    // Somebody takes the new image out again, which everybody believes admitted.
    await putPolicy('node-2', before);
    deployments.length = 0;
    expect(await upgrade('apply', 'infrastructure')).toMatchObject(
      refusal('UPGRADE_NODE_NOT_SERVING', { node: 2, reason: 'KMS_ACCESS_DENIED' }),
    );
    expect(deployments).toHaveLength(1);
    for (const verb of ['apply', 'plan'] as const)
      expect(await upgrade(verb, 'infrastructure')).toMatchObject({ exit: 1 });
    expect(await upgrade('apply', 'infrastructure')).toMatchObject(
      refusal('UPGRADE_STOPPED', { node: 2, reason: 'KMS_ACCESS_DENIED' }),
    );
    expect(deployments).toHaveLength(1);
    expect(await status('infrastructure')).toMatchObject({
      exit: 1,
      said: { isUnderWay: true, stopped: { node: 2, code: 'KMS_ACCESS_DENIED' } },
    });
    await signs(testbed.pcrFile);
  });

  it('is rolled back by everybody, and no key admits the new image any more', async () => {
    await done('rollback')('infrastructure');
    expect(await upgrade('apply', 'node-1')).toMatchObject(refusal('VAULT_UPGRADE_ROLLING_BACK'));
    await together(NODES, done('rollback'));
    await done('rollback')('infrastructure');
    for (const role of NODES) expect(await readPolicy(role)).not.toContain('DateLessThan');
    await expectClients(['desk']);
    expect(await status('node-3')).toMatchObject({
      exit: 0,
      said: { isUnderWay: false, direction: 'back', running: '1.4.0' },
    });
    await signs(testbed.pcrFile);
    expect(await testbed.apply('node-1')).toMatchObject({ exit: 0, said: { done: [], isComplete: true } });
  });

  it('is tried again to its end, though a run is killed between two nodes', async () => {
    await together(NODES, done('apply'));
    await done('apply')('infrastructure', '--canary', '3');
    await together(NODES, done('apply'));
    deployments.length = 0;
    const { child, ended } = testbed.person('infrastructure').start(...words('apply', 'infrastructure'));
    child.stderr?.on('data', (text: string) => {
      if (text.includes('node 3: done')) child.kill('SIGKILL');
    });
    expect(await ended).toMatchObject({ exit: null });
    await done('apply')('infrastructure');
    await together(NODES, done('apply'));
    expect(await status('node-1')).toMatchObject({
      exit: 0,
      said: { isUnderWay: false, running: VERSION, upgrade: { from: '1.4.0', to: VERSION, attempt: 2 } },
    });
    await signs(testbed.pcrFile.replace('1.4.0', VERSION));
    await expectClients(['desk']);
  });

  it('has nothing left to do then, and neither has the first ceremony', async () => {
    const files = await testbed.listExchangedFiles();
    await together(ROLES, async (role) => {
      const quiet = { exit: 0, said: { done: [], isComplete: true } };
      expect(await upgrade('apply', role)).toMatchObject(quiet);
      expect(await testbed.apply(role)).toMatchObject(quiet);
    });
    expect(await testbed.listExchangedFiles()).toEqual(files);
    expect(await testbed.person('node-2').run('vault', 'status')).toMatchObject({
      exit: 0,
      said: { isComplete: true, release: VERSION },
    });
    expect(await upgrade('rollback', 'infrastructure')).toMatchObject(refusal('VAULT_UPGRADE_NONE'));
  });
});
