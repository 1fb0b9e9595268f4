import { execFileSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, type RunningCommand, startCommand } from '../../../local/testbed/holdfast-command.ts';
import type { PlayedRole, VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { type Authority, createAuthority } from '../../parent/peers/authority.ts';
import { findNatsServer, startNatsServer } from '../../parent/peers/nats-servers.ts';
import {
  hasPostgresAndClient,
  startPostgres,
  type PostgresServer,
} from '../../parent/store/postgres-server.ts';
import { freePort } from '../../support/free-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { openTestbed, TOOLS } from './support/open-testbed.ts';

const REGION = 'eu-central-1';
/** Two nodes are the fewest that have something to tell each other. */
const NODES = ['node-1', 'node-2'] as const satisfies readonly PlayedRole[];
const ROLES = ['infrastructure', ...NODES] as const;
const ROUNDS: readonly (readonly PlayedRole[])[] = [
  ROLES,
  NODES,
  ['infrastructure'],
  NODES,
  ['infrastructure'],
  NODES,
];
const LOOPBACK = '127.0.0.0/8';
const SECRETS = 'acme/production/wallet';
const databaseOf = (node: number) => `holdfast_acme__production_node_${node}`;

const hasPostgres = hasPostgresAndClient();
if (!hasPostgres) process.stderr.write('SKIPPED: no vault was shown a PostgreSQL server\n');
const natsProgram = findNatsServer();

let testbed: VaultTestbed;
let authority: Authority;
let postgres: PostgresServer | undefined;
let nats: { readonly port: number; stop(): Promise<void> } | undefined;
let witness: { readonly folder: string; readonly port: number; readonly key: string };
let following: RunningCommand | undefined;

/** Makes a witness, which follows no log yet. */
async function makeWitness() {
  const folder = join(temporaryFolder(), 'witness');
  const made = await runCommand(
    TOOLS.holdfast,
    ['audit', 'witness-keygen', folder, '--name', 'w1.witness.example'],
    temporaryFolder(),
  );
  const [key = ''] = made.said['vkeys'] as string[];
  const port = await freePort();
  return { folder, port, key };
}

beforeAll(async () => {
  authority = createAuthority(temporaryFolder());
  const ca = readFileSync(authority.ca, 'utf8');
  const port = await freePort();
  const { certificate, key } = authority.issue('postgres', ['DNS:localhost']);
  postgres = hasPostgres ? await startPostgres({ certificate, key, port }) : undefined;
  nats = natsProgram === undefined ? undefined : await startNatsServer(natsProgram, authority);
  witness = await makeWitness();
  const natsPort = nats?.port;
  testbed = await openTestbed({
    accounts: ['444455556666', '111111111111', '222222222222'],
    change: (vault) => {
      vault.parts['witnesses'] = {
        threshold: 1,
        servers: [{ url: `http://127.0.0.1:${witness.port}`, key: witness.key }],
        maxUncosignedSeconds: 0,
        cidr: LOOPBACK,
      };
      vault.parts['gateways'] = [{ id: 'kms', protocol: 'kms', client: 'wallet-backend' }];
      if (hasPostgres) vault.parts['store'] = { postgres: { host: 'localhost', port, cidr: LOOPBACK, ca } };
      if (natsPort !== undefined) {
        vault.parts['nats'] = { servers: [`tls://localhost:${natsPort}`], cidr: LOOPBACK, ca, replicas: 1 };
      }
    },
  });
}, 300_000);
afterAll(async () => {
  await following?.stop();
  await testbed.close();
  await nats?.stop();
  await postgres?.remove();
});

async function together(roles: readonly PlayedRole[], act: (role: PlayedRole) => Promise<unknown>) {
  await Promise.all(roles.map(act));
}

async function apply(roles: readonly PlayedRole[]): Promise<void> {
  await together(roles, async (role) => {
    const { exit, said, stderr } = await testbed.apply(role);
    expect(exit, `${role}: ${JSON.stringify(said)}\n${stderr}\n${testbed.log()}`).toBe(0);
  });
}

/** Reads a secret of the wallet as a role of infrastructure's account. */
async function readSecret(name: string, roleArn: string): Promise<string> {
  const client = new SecretsManagerClient({
    ...testbed.aws.clientOptions('secretsmanager', REGION),
    credentials: testbed.aws.directory.assumeRole({ roleArn, sessionName: 'test' }),
    maxAttempts: 1,
  });
  try {
    return (
      (await client.send(new GetSecretValueCommand({ SecretId: `${SECRETS}/${name}` }))).SecretString ?? ''
    );
  } finally {
    client.destroy();
  }
}

const asAdmin = 'arn:aws:iam::444455556666:role/admin-of-4';
const asHost = (node: number) => `arn:aws:iam::444455556666:role/acme-production-node-${node}-parent`;

/** Asks the database server as its administrator does. */
async function query(database: string, ...statements: readonly string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({
    connectionString: (postgres?.url ?? '').replace('/postgres?', `/${database}?`),
  });
  await client.connect();
  const results: pg.QueryResult[] = [];
  for (const statement of statements) results.push(await client.query(statement));
  await client.end();
  return results;
}

/** Secrets of this vault's parts, by name. */
const names = [1, 2].flatMap((node) => [
  ...(hasPostgres ? [`postgres-node-${node}-password`] : []),
  ...(natsProgram === undefined ? [] : [`nats-node-${node}-identity`]),
]);

describe('a vault with a database, NATS and an outside witness', { timeout: 1_800_000 }, () => {
  it('has its secrets put where hosts look for them', async () => {
    const person = testbed.person('infrastructure');
    await mkdir(join(person.folder, 'populate'), { mode: 0o700 });
    const sources: Record<string, object> = {};
    for (const node of natsProgram === undefined ? [] : [1, 2]) {
      const files = authority.issue(`node-${node}`, [`DNS:node-${node}.acme.example`]);
      const pem = [files.certificate, files.key].map((path) => readFileSync(path, 'utf8')).join('');
      await writeFile(join(person.folder, 'populate', `nats-${node}.pem`), pem, { mode: 0o600 });
      sources[`nats-node-${node}-identity`] = { file: `nats-${node}.pem` };
    }
    const values = { format: 'holdfast-populate/1', partition: 'wallet', values: sources };
    await writeFile(join(person.folder, 'populate/wallet.yaml'), JSON.stringify(values), { mode: 0o600 });
    const populate = ['vault', 'populate', '--partition', 'wallet', '--yes'];
    const roles = hasPostgres ? ['--postgres', 'populate/postgres.sql'] : [];
    const populated = await person.run(...populate, ...roles);
    expect([populated.exit, populated.said.error]).toEqual([0, undefined]);
    if (!hasPostgres) return;
    const file = join(person.folder, 'populate/postgres.sql');
    const text = await readFile(file, 'utf8');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const node of [1, 2]) {
      expect(text).toContain(databaseOf(node));
      expect(text).not.toContain(await readSecret(`postgres-node-${node}-password`, asAdmin));
    }
    execFileSync('psql', ['-X', postgres?.url ?? '', '-f', file]);
    // A second run of both changes nothing.
    expect(await person.run(...populate, ...roles)).toMatchObject({ exit: 0 });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('is led to nodes that serve, by the same ceremony', async () => {
    await together(ROLES, async (role) => {
      expect(await testbed.person(role).run('vault', 'fetch', '--vault', 'vault.yaml')).toMatchObject({
        exit: 0,
      });
    });
    for (const roles of ROUNDS) await apply(roles);
    // The witness can follow the logs from here on: its operator is told of them by what infrastructure is shown.
    const planned = await testbed
      .person('infrastructure')
      .run(...testbed.argumentsOf('plan', 'infrastructure'));
    const logs = await Promise.all(
      NODES.map(async (role) => String((await testbed.readStatement(role, 'narrow')).facts['log'])),
    );
    for (const log of logs) expect(JSON.stringify(planned.said)).toContain(`keys: ['${log}']`);
    const followed = logs.map((key) => ({ origin: key.slice(0, key.indexOf('+')), keys: [key] }));
    const file = join(witness.folder, 'logs.yaml');
    await writeFile(file, JSON.stringify({ logs: followed }));
    const listen = ['--listen', `127.0.0.1:${witness.port}`];
    following = await startCommand(
      TOOLS.holdfast,
      ['audit', 'witness', witness.folder, '--logs', file, ...listen],
      witness.folder,
    );
    await apply(['infrastructure']);
    expect(await testbed.person('node-2').run('vault', 'status')).toMatchObject({
      exit: 0,
      said: { isComplete: true },
    });
  });

  it('makes a key and signs with it, each receipt with the witness', async () => {
    const owner = await testbed.client('operations');
    const made = await owner('quorum', 'keys', 'generate', 'treasury');
    expect(made, `${JSON.stringify(made)}\n${testbed.log()}`).toMatchObject({ exit: 0 });
    const backend = await testbed.client('wallet-backend');
    const message = Buffer.from('kept elsewhere');
    const signed = await backend('quorum', 'sign', 'treasury', '--message', message.toString('hex'));
    expect(signed).toMatchObject({ exit: 0 });
    const { signature, publicKey, receipt } = signed.said as unknown as Record<string, string>;
    const x = Buffer.from(publicKey ?? '', 'hex').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    expect(verify(null, message, key, Buffer.from(signature ?? '', 'hex'))).toBe(true);
    expect(JSON.stringify(receipt)).toContain('w1.witness.example');
  });

  it.skipIf(!hasPostgres)(
    'keeps the records of each node in a database of its own, and none on hosts',
    async () => {
      for (const node of [1, 2]) {
        const [found] = await query(
          databaseOf(node),
          'SELECT node, count(*)::int AS count FROM holdfast_records GROUP BY node',
        );
        expect(found?.rows).toEqual([{ node: `node-${node}`, count: expect.any(Number) as number }]);
        const state = await readdir(testbed.hostOf(node)?.pathOf('var/lib/holdfast') ?? '');
        expect(state.filter((name) => name.includes('sqlite'))).toEqual([]);
      }
      const [connections] = await query(
        'postgres',
        "SELECT count(*)::int AS count FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename LIKE 'holdfast_acme%'",
      );
      expect(connections?.rows).toEqual([{ count: 2 }]);
    },
  );

  it.skipIf(natsProgram === undefined)(
    'has parents that go by NATS, and do not listen for each other',
    async () => {
      for (const node of [1, 2]) {
        const page = await fetch(`${testbed.hostOf(node)?.statusUrl ?? ''}/status`);
        const { peers } = (await page.json()) as { peers: { carrier: string; peers: unknown[] } };
        expect(peers).toMatchObject({ carrier: 'nats', peers: [{ isConnected: true, outcome: 'ok' }] });
      }
    },
  );

  it('has a door run by what its sheets are made with, which reads the key of its client where it runs', async () => {
    const person = testbed.person('infrastructure');
    const folder = 'sheets/gateways/kms';
    expect(await person.run('vault', 'sheets', '--output', 'sheets')).toMatchObject({ exit: 0 });
    const profiles = ['vault', 'profiles', '--output', `${folder}/profiles`, '--root', testbed.rootFile];
    expect(await person.run(...profiles)).toMatchObject({ exit: 0 });
    const config = join(person.folder, folder, 'gateway.yaml');
    const text = await readFile(config, 'utf8');
    expect(text).toContain(`:secret:${SECRETS}/gateway-kms-secret-access-key`);
    await mkdir(join(person.folder, 'keys'), { recursive: true, mode: 0o700 });
    const ownKey = await readFile(testbed.keys.clients.get('wallet-backend') ?? '');
    await writeFile(join(person.folder, 'keys/wallet-backend.pem'), ownKey, { mode: 0o600 });
    const port = await freePort();
    await writeFile(config, text.replace('port: 8470', `port: ${port}`));
    const door = person.start('gateway', 'kms', '--config', config);
    // A door prints more than one line of JSON, and is awaited by nobody.
    void door.ended.catch(() => undefined);
    const isReady = async () =>
      await fetch(`http://127.0.0.1:${port}/readyz`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(isReady, { timeout: 120_000 }).toBe(200);
    door.child.kill('SIGTERM');
  });

  it('lets each host read its own secrets alone, and writes none of them down', async () => {
    for (const name of names) {
      const [own, other] = name.includes('node-1') ? [1, 2] : [2, 1];
      const value = await readSecret(name, asHost(own));
      await expect(readSecret(name, asHost(other))).rejects.toMatchObject({ name: 'AccessDeniedException' });
      const parentFile = await readFile(
        testbed.hostOf(own)?.pathOf('etc/holdfast/parent.yaml') ?? '',
        'utf8',
      );
      expect(parentFile).toContain(name);
      expect(parentFile).not.toContain('PRIVATE KEY');
      expect(parentFile).not.toContain(value);
      expect(testbed.log()).not.toContain(value.slice(-60));
    }
  });
});
