import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { renderPostgresRoles } from '../../../admin/vault/populate/index.ts';
import { createAuthority } from '../../parent/peers/authority.ts';
import {
  hasPostgresAndClient,
  type PostgresServer,
  startPostgres,
} from '../../parent/store/postgres-server.ts';
import { freePort } from '../../support/free-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { PARTS } from './sample-parts.ts';
import { parseSample } from './sample-vault.ts';

const isThere = hasPostgresAndClient();
if (!isThere) process.stderr.write('SKIPPED: roles of the database were run by no PostgreSQL\n');

const { document } = parseSample((vault) => {
  vault.nodes.splice(2);
  vault.parts = { store: PARTS.store };
});
const NAMES = ['holdfast_acme__production_node_1', 'holdfast_acme__production_node_2'] as const;
const passwords = (...values: string[]) =>
  new Map(
    values.map(
      (value, index) =>
        [index + 1, { password: Buffer.from(value), version: `version of ${value}` }] as const,
    ),
  );
const FIRST = ['Kd7n0w_uLq-3f0m4c1oHf2dHBxIk1tT9zXy_S0me43c', 'it\'s \\ $odd$ "pass"-phrase'] as const;

describe('the salt of a verifier, which the server shows to whoever names the role', () => {
  const saltsOf = (password: string, version: string) => {
    const values = new Map([1, 2].map((node) => [node, { password: Buffer.from(password), version }]));
    return [...renderPostgresRoles(document, values).matchAll(/SCRAM-SHA-256\$4096:([^$]+)\$/g)].map(
      ([, salt]) => salt,
    );
  };

  it('has nothing of the password in it, and is that of one role and one version of the secret', () => {
    expect(saltsOf('guessed', 'v1')).toEqual(saltsOf('another', 'v1'));
    const salts = [...saltsOf('guessed', 'v1'), ...saltsOf('guessed', 'v2')];
    expect(new Set(salts).size).toBe(4);
    for (const salt of salts) expect(Buffer.from(salt ?? '', 'base64')).toHaveLength(16);
  });
});

describe.skipIf(!isThere)('what the administrator of the database runs', { timeout: 120_000 }, () => {
  let server: PostgresServer;
  let port: number;
  let ca: string;
  const folder = temporaryFolder();
  const file = join(folder, 'postgres.sql');

  beforeAll(async () => {
    const authority = createAuthority(temporaryFolder());
    ca = readFileSync(authority.ca, 'utf8');
    port = await freePort();
    const { certificate, key } = authority.issue('postgres', ['DNS:localhost']);
    server = await startPostgres({ certificate, key, port });
  }, 60_000);
  afterAll(async () => await server.remove());

  /** Runs the file with psql of PostgreSQL's own, as somebody whose connection needs no password. */
  async function psql(sql: string, user = 'holdfast') {
    writeFileSync(file, sql, { mode: 0o600 });
    const url = server.url.replace('holdfast@', `${user}@`);
    return await promisify(execFile)('psql', ['-X', url, '-f', file]).then(
      ({ stdout, stderr }) => ({ exit: 0, said: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        exit: error.code,
        said: error.stdout + error.stderr,
      }),
    );
  }

  /** Asks by TLS and a password, as a parent does. */
  async function ask(user: string, password: string, database: string, query = 'SELECT current_user AS me') {
    const client = new pg.Client({
      host: 'localhost',
      port,
      user,
      password,
      database,
      ssl: { ca, servername: 'localhost' },
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(query)).rows as unknown[];
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  it('makes a role and a database of each node, which no other node may enter, and a second run changes nothing', async () => {
    const sql = renderPostgresRoles(document, passwords(...FIRST));
    expect(await psql(sql)).toEqual({ exit: 0, said: '' });
    const stateOf = async () =>
      await superuser('SELECT rolname, rolpassword, rolsuper, rolcreatedb FROM pg_authid');
    const before = await stateOf();
    for (const [index, name] of NAMES.entries()) {
      const password = FIRST[index] ?? '';
      expect(await ask(name, password, name)).toEqual([{ me: name }]);
      expect(await ask(name, password, name, 'CREATE TABLE IF NOT EXISTS t (x int)')).toEqual([]);
      expect(await ask(name, `${password}x`, name)).toBe('28P01');
      // CONNECT was taken from everybody else.
      expect(await ask(name, password, NAMES[1 - index] ?? '')).toBe('42501');
    }
    expect(await psql(renderPostgresRoles(document, passwords(...FIRST)))).toEqual({ exit: 0, said: '' });
    expect(await stateOf()).toEqual(before);
    expect(before.filter(({ rolname }) => NAMES.includes(rolname as never))).toEqual(
      NAMES.map((rolname) => ({
        rolname,
        rolpassword: expect.stringMatching(/^SCRAM-SHA-256\$4096:/) as string,
        rolsuper: false,
        rolcreatedb: false,
      })),
    );
    for (const password of FIRST) expect(sql).not.toContain(password);
  });

  it('brings another password after a rotation, and leaves the records alone', async () => {
    const other = 'an0ther-passw0rd-of-n0de-1';
    expect(await psql(renderPostgresRoles(document, passwords(other, FIRST[1])))).toEqual({
      exit: 0,
      said: '',
    });
    expect(await ask(NAMES[0], other, NAMES[0], 'SELECT x FROM t')).toEqual([]);
    expect(await ask(NAMES[0], FIRST[0], NAMES[0])).toBe('28P01');
  });

  it('is run by an administrator who is no superuser, twice', async () => {
    await superuser('CREATE ROLE rds_admin LOGIN CREATEROLE CREATEDB');
    const { document: other } = parseSample((vault) => {
      vault.nodes.splice(2);
      vault['environment'] = 'staging';
      vault.parts = { store: PARTS.store };
    });
    const sql = renderPostgresRoles(other, passwords(...FIRST));
    for (let run = 0; run < 2; run += 1) expect(await psql(sql, 'rds_admin')).toEqual({ exit: 0, said: '' });
    const [name] = ['holdfast_acme__staging_node_1'];
    expect(await ask(name, FIRST[0], name)).toEqual([{ me: name }]);
  });

  it('refuses a database of that name that somebody else owns, and goes no further', async () => {
    await superuser('DROP DATABASE holdfast_acme__production_node_1');
    await superuser('CREATE ROLE mallory LOGIN');
    await superuser('CREATE DATABASE holdfast_acme__production_node_1 OWNER mallory');
    const { exit, said } = await psql(renderPostgresRoles(document, passwords(FIRST[0], 'never-taken-0ver')));
    expect([exit, said]).toEqual([3, expect.stringContaining('is not owned by the role of that name')]);
    expect(await ask(NAMES[1], FIRST[1], NAMES[1])).toEqual([{ me: NAMES[1] }]);
  });

  describe('on a server that others share', () => {
    const NAME = 'holdfast_acme__shared_node_1';
    const { document: shared } = parseSample((vault) => {
      vault.nodes.splice(2);
      vault['environment'] = 'shared';
      vault.parts = { store: PARTS.store };
    });
    const run = async (user = 'admin') => await psql(renderPostgresRoles(shared, passwords(...FIRST)), user);
    const refused = (why: string) => ({ exit: 3, said: expect.stringContaining(why) as string });
    const done = { exit: 0, said: '' };

    beforeAll(async () => {
      await superuser('CREATE ROLE admin LOGIN CREATEROLE CREATEDB');
      await superuser('CREATE ROLE neighbour LOGIN CREATEROLE CREATEDB');
    });
    afterEach(async () => {
      // Nobody is left a member, whatever was refused.
      const left = await superuser(
        `SELECT FROM pg_auth_members WHERE pg_get_userbyid(member) = 'admin' AND pg_get_userbyid(roleid) LIKE 'holdfast_acme__shared%'`,
      );
      for (const node of [1, 2]) {
        await superuser(`DROP DATABASE IF EXISTS holdfast_acme__shared_node_${node}`);
        await superuser(`DROP ROLE IF EXISTS holdfast_acme__shared_node_${node}`);
      }
      if (left.length > 0) throw new Error('the administrator is left a member');
    });

    it('refuses a role that somebody has made beforehand and is a member of, before it has a password', async () => {
      await superuser(`CREATE ROLE ${NAME}`);
      await superuser(`CREATE DATABASE ${NAME} OWNER ${NAME}`);
      await superuser(`GRANT ${NAME} TO neighbour`);
      for (const user of ['admin', 'holdfast']) expect(await run(user)).toEqual(refused('neighbour'));
      const stateOf = `SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = '${NAME}'`;
      expect(await superuser(stateOf)).toEqual([{ rolcanlogin: false, rolpassword: null }]);
      await superuser(`REVOKE ${NAME} FROM neighbour`);
      for (let time = 0; time < 2; time += 1) expect(await run()).toEqual(done);
      expect(await ask(NAME, FIRST[0], NAME)).toEqual([{ me: NAME }]);
      expect(await asNeighbour(`SET ROLE ${NAME}`)).toBe('42501');
    });

    it('refuses a role that is a member of another: its tables could be theirs', async () => {
      await superuser(`CREATE ROLE ${NAME}`);
      await superuser(`GRANT neighbour TO ${NAME}`);
      expect(await run()).toEqual(refused('neighbour'));
    });

    it.each(['SUPERUSER', 'CREATEROLE', 'CREATEDB', 'REPLICATION', 'BYPASSRLS'])(
      'refuses a role that may more than a node needs: %s',
      async (attribute) => {
        await superuser(`CREATE ROLE ${NAME} ${attribute}`);
        expect(await run('holdfast')).toEqual(refused('may more than a node needs'));
      },
    );

    it('refuses a database that somebody else may connect to', async () => {
      await superuser(`CREATE ROLE ${NAME}`);
      await superuser(`CREATE DATABASE ${NAME} OWNER ${NAME}`);
      await superuser(`GRANT CONNECT ON DATABASE ${NAME} TO neighbour`);
      expect(await run()).toEqual(refused('neighbour'));
    });

    it('leaves its administrator no member of a role whose database is refused, or cannot be made', async () => {
      await superuser(`CREATE DATABASE ${NAME} OWNER neighbour`);
      expect(await run()).toEqual(refused('is not owned by the role of that name'));
      await superuser(`DROP DATABASE ${NAME}`);
      await superuser('ALTER ROLE admin NOCREATEDB');
      expect(await run()).toEqual(refused('permission denied to create database'));
      await superuser('ALTER ROLE admin CREATEDB');
    });

    it('goes on after a run that ended once the database was made', async () => {
      await asUser('admin', `CREATE ROLE ${NAME}`);
      await asUser('admin', `CREATE DATABASE ${NAME}`);
      expect(await run()).toEqual(done);
      expect(await ask(NAME, FIRST[0], NAME, 'CREATE TABLE t (x int)')).toEqual([]);
    });

    const asNeighbour = async (statement: string) => await asUser('neighbour', statement);
    async function asUser(user: string, statement: string): Promise<unknown> {
      const client = new pg.Client({ connectionString: server.url.replace('holdfast@', `${user}@`) });
      await client.connect();
      try {
        return (await client.query(statement)).rows;
      } catch (error) {
        return (error as { code?: string }).code;
      } finally {
        await client.end();
      }
    }
  });

  async function superuser(statement: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  }
});
