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
/** Policy of node 2's key that admits both images. */
let overlap = '';

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

/** Status page of a host's parent; empty while it is down. */
async function statusOf(url: string): Promise<string> {
  const page = await fetch(`${url}/status`).catch(() => undefined);
  return (await page?.text()) ?? '';
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
}, 1_800_000);
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

describe('rules that were signed after the ceremony', { timeout: 1_800_000 }, () => {
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

describe('an upgrade of a vault', { timeout: 1_800_000 }, () => {
  it('stops at a canary that KMS refuses, touches nothing further, and keeps the first ceremony away', async () => {
    await together(NODES, done('apply'));
    await done('apply')('infrastructure', '--canary', '2');
    expect(deployments).toHaveLength(6);
    const before = await readPolicy('node-2');
    await together(NODES, done('apply'));
    expect(await testbed.apply('node-1')).toMatchObject(refusal('VAULT_UPGRADE_UNDER_WAY', { to: VERSION }));
    overlap = await readPolicy('node-2');
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

  it('is rolled back by everybody past a host that is down, with the new image on its disk', async () => {
    await putPolicy('node-2', overlap);
    const host = testbed.hostOf(2);
    if (host === undefined) throw new TypeError('expected the host of node 2');
    // Nothing runs on it any more, and what Systems Manager sends comes to nothing.
    await host.crash();
    const program = host.pathOf('opt/holdfast/bin/holdfast');
    const installed = await readFile(program);
    await writeFile(program, '#!/bin/sh\nexit 1\n');
    await host.boot({ startsParent: false });
    const back = await upgrade('rollback', 'infrastructure');
    expectDone('infrastructure', back);
    expect(back.stderr).toContain('node 2: LEFT');
    expect(await status('node-3')).toMatchObject({
      exit: 1,
      said: { isUnderWay: true, direction: 'back', left: [2] },
    });
    expect(await upgrade('apply', 'node-1')).toMatchObject(refusal('VAULT_UPGRADE_ROLLING_BACK'));
    await together(NODES, done('rollback'));
    // The two others sign, and neither is restarted while the third is away.
    deployments.length = 0;
    expect(await upgrade('rollback', 'infrastructure')).toMatchObject(
      refusal('UPGRADE_QUORUM_AT_RISK', { others: [{ node: 2 }] }),
    );
    expect(deployments).toHaveLength(1);
    await signs(testbed.pcrFile);
    await host.crash();
    await writeFile(program, installed);
    await host.boot();
    await expect
      .poll(async () => await statusOf(host.statusUrl), { timeout: 60_000 })
      .toContain('KMS_ACCESS_DENIED');
  });

  it('has that node run the old image when its host is back, and no key admits the new one', async () => {
    await done('rollback')('infrastructure');
    const measured = await readFile(testbed.pcrFile.replace('1.4.0', VERSION), 'utf8');
    const { PCR0: pcr0 } = (JSON.parse(measured) as { Measurements: { PCR0: string } }).Measurements;
    expect(overlap).toContain(pcr0);
    for (const role of NODES) {
      const policy = await readPolicy(role);
      expect(policy).not.toContain('DateLessThan');
      expect(policy).not.toContain(pcr0);
    }
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
