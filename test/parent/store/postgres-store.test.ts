import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArtifactError } from '../../../parent/artifacts/errors.ts';
import { createControlSession } from '../../../parent/control/session.ts';
import { silentLog } from '../../../parent/common/log.ts';
import type { RecordStoreError } from '../../../parent/store/errors.ts';
import { createPostgresStore } from '../../../parent/store/postgres-store.ts';
import { freePort } from '../../support/free-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type Authority, createAuthority } from '../peers/authority.ts';
import { findPostgres, startPostgres, type PostgresServer } from './postgres-server.ts';
import { describeStore } from './store-suite.ts';

const SOURCE = join(import.meta.dirname, '../../../parent/store/postgres-store.ts');
const BYTES = Uint8Array.of(1, 2, 3);

/** Server on loopback that answers a request for TLS as one without it does, and keeps what it was sent. */
async function startPlainServer() {
  const received: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      received.push(Buffer.from(bytes));
      socket.write('N');
    });
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, received, close: () => server.close() };
}

describe.skipIf(findPostgres() === undefined)('with a PostgreSQL server that speaks TLS', () => {
  const PASSWORD = 'made-by-nobody-42';
  let server: PostgresServer;
  let authority: Authority;
  let options: Parameters<typeof createPostgresStore>[0] & { readonly host: string };
  beforeAll(async () => {
    authority = createAuthority(temporaryFolder());
    const { certificate, key } = authority.issue('server', ['DNS:localhost']);
    const port = await freePort();
    server = await startPostgres({ certificate, key, port });
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query(`CREATE ROLE records LOGIN PASSWORD '${PASSWORD}'`);
    await client.query('CREATE DATABASE records OWNER records');
    await client.end();
    options = {
      host: 'localhost',
      port,
      database: 'records',
      user: 'records',
      password: () => Promise.resolve(PASSWORD),
      ca: readFileSync(authority.ca, 'utf8'),
      node: 'node-1',
    };
  });
  afterAll(async () => {
    await server.remove();
  });

  const codeOf = async (change: object) =>
    await createPostgresStore({ ...options, ...change })
      .open()
      .then(
        async (session) => {
          await session.close();
          return 'open';
        },
        (error: unknown) => (error as RecordStoreError).code,
      );

  test('opens by the password that is in force at that moment', async () => {
    const passwords = ['former', PASSWORD];
    const rotated = { password: () => Promise.resolve(passwords.shift() ?? '') };
    const store = createPostgresStore({ ...options, ...rotated });
    await expect(store.open()).rejects.toMatchObject({ code: 'STORE_FAILED', details: { state: '28P01' } });
    await (await store.open()).close();
  });

  test('believes no server of another authority, or of another name', async () => {
    expect(await codeOf({})).toBe('open');
    expect(await codeOf({ ca: readFileSync(createAuthority(temporaryFolder(), 'other').ca, 'utf8') })).toBe(
      'STORE_FAILED',
    );
    expect(await codeOf({ host: '127.0.0.1' })).toBe('STORE_FAILED');
  });

  test('tells a server without TLS neither who it is nor its password', async () => {
    const plain = await startPlainServer();
    expect(await codeOf({ port: plain.port })).toBe('STORE_FAILED');
    const text = Buffer.concat(plain.received).toString('latin1');
    expect(text).toHaveLength(8);
    plain.close();
  });

  test('says that a password is not to be had, and keeps the reason', async () => {
    const password = () => Promise.reject(new ArtifactError('ARTIFACT_UNAVAILABLE', 'no', { secretId: 'x' }));
    const error = await createPostgresStore({ ...options, password })
      .open()
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'STORE_PASSWORD_UNAVAILABLE',
      details: { secretId: 'x', reason: 'ARTIFACT_UNAVAILABLE' },
    });
  });
});

describe.skipIf(findPostgres() === undefined)('with a PostgreSQL server of its own', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server.remove();
  });
  const storeOf = (node: string) => createPostgresStore({ url: server.url, node });

  describeStore('the PostgreSQL store', async () => {
    const node = randomUUID();
    return await Promise.resolve({ makeStore: () => storeOf(node), remove: () => Promise.resolve() });
  });

  test('keeps the records of two nodes apart, and lets both work at once', async () => {
    const [one, two] = await Promise.all([storeOf('node-1').open(), storeOf('node-2').open()]);
    const write = { table: 'keys', id: 'same', expectedRevision: 0 };
    await Promise.all([
      one.commit([{ ...write, bytes: Uint8Array.of(1) }]),
      two.commit([{ ...write, bytes: Uint8Array.of(2) }]),
    ]);
    expect((await one.read({ table: 'keys', id: 'same' }))?.bytes).toEqual(Uint8Array.of(1));
    expect((await two.read({ table: 'keys', id: 'same' }))?.bytes).toEqual(Uint8Array.of(2));
    await Promise.all([one.close(), two.close()]);
  });

  test('makes its tables once, however many come first', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 6 }, (_, index) => storeOf(`first-${index}`).open()),
    );
    for (const session of sessions) expect(await session.list()).toEqual([]);
    await Promise.all(sessions.map((session) => session.close()));
  });

  test('loses no acknowledged commit when its process and then the server are killed', async () => {
    const script = `
      import { createPostgresStore } from ${JSON.stringify(SOURCE)};
      import { writeSync } from 'node:fs';
      const session = await createPostgresStore({ url: process.argv[1], node: 'crash' }).open();
      for (let revision = 0; ; revision += 1) {
        const bytes = new Uint8Array(4096).fill(revision & 255);
        await session.commit([
          { table: 't', id: 'a', expectedRevision: revision, bytes },
          { table: 't', id: 'b', expectedRevision: revision, bytes },
        ]);
        writeSync(1, revision + 1 + '\\n');
      }
    `;
    const writer = spawn(process.execPath, ['--input-type=module', '-e', script, server.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    writer.stdout.on('data', (chunk: Buffer) => (output += String(chunk)));
    await once(writer.stdout, 'data');
    await sleep(150);
    writer.kill('SIGKILL');
    await once(writer, 'close');
    await server.kill();
    await server.start();
    const acknowledged = Number(output.trimEnd().split('\n').at(-1));
    const session = await storeOf('crash').open();
    const a = await session.read({ table: 't', id: 'a' });
    expect(a?.revision).toBeGreaterThanOrEqual(acknowledged);
    expect(a?.revision).toBeLessThanOrEqual(acknowledged + 1);
    expect(await session.read({ table: 't', id: 'b' })).toEqual(a);
    await session.close();
  });

  test('says that it failed while the server is away, and goes on when it is back', async () => {
    const session = createControlSession(
      {
        manifest: () => Promise.resolve(null),
        configuration: () => Promise.resolve(null),
        secrets: { get: () => Promise.resolve(null) },
        credentials: () => Promise.reject(new Error('none')),
        store: storeOf('restart'),
        onStatus: () => {},
      },
      silentLog,
    );
    const commit = (expectedRevision: number) =>
      session.handle({
        type: 'store-commit',
        writes: [{ table: 't', id: 'a', expectedRevision, bytes: BYTES }],
      });
    expect(await commit(0)).toEqual({ type: 'store-commit' });
    await server.kill();
    expect(await commit(1)).toEqual({ type: 'error', code: 'STORE_FAILED' });
    expect(await commit(1)).toEqual({ type: 'error', code: 'STORE_FAILED' });
    await server.start();
    expect(await commit(1)).toEqual({ type: 'store-commit' });
    await session.close();
  });

  test('does not open a format that it does not know', async () => {
    const { Client } = (await import('pg')).default;
    const client = new Client({ connectionString: server.url });
    await client.connect();
    await client.query('UPDATE holdfast_format SET version = 2');
    await expect(storeOf('later').open()).rejects.toMatchObject({ code: 'STORE_FORMAT_UNKNOWN' });
    await client.query('UPDATE holdfast_format SET version = 1');
    await client.end();
  });
});

test('the PostgreSQL store says that it failed where there is no server', async () => {
  const store = createPostgresStore({ url: 'postgres://nobody@127.0.0.1:1/none', node: 'one' });
  await expect(store.open()).rejects.toMatchObject({ name: 'RecordStoreError', code: 'STORE_FAILED' });
});
