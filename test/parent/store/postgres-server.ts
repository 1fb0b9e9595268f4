import { execFile, execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync } from 'node:fs';
import { chmod, chown, copyFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);

/** A real PostgreSQL server of a test's own, on a Unix socket in a temporary folder. */
export interface PostgresServer {
  readonly url: string;
  /** Ends the server as a power cut would: no shutdown, no checkpoint. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** The folder of PostgreSQL's programs; undefined where it is not installed. */
export function findPostgres(): string | undefined {
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

/** Whether there is PostgreSQL, and its client for files of statements. */
export function hasPostgresAndClient(): boolean {
  return findPostgres() !== undefined && spawnSync('psql', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** PostgreSQL does not run as root; a test that does runs it as `nobody`. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function idOf(option: '-g' | '-u'): number {
  return Number(execFileSync('id', [option, 'nobody']));
}

/** Files by which a server speaks TLS on a port of loopback, beside its socket, and asks for passwords there. */
export interface PostgresTls {
  readonly certificate: string;
  readonly key: string;
  readonly port: number;
}

/** Lets others in by TLS and a password alone; the server's own user comes by the socket. */
async function configureTls(
  data: string,
  { certificate, key, port }: PostgresTls,
  { uid, gid }: { uid?: number; gid?: number },
): Promise<string[]> {
  const own = join(data, 'server.key');
  await copyFile(key, own);
  await chmod(own, 0o600);
  if (uid !== undefined && gid !== undefined) await chown(own, uid, gid);
  await copyFile(certificate, join(data, 'server.crt'));
  await chmod(join(data, 'server.crt'), 0o644);
  await writeFile(
    join(data, 'pg_hba.conf'),
    'local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n',
  );
  const settings = ['ssl=on', 'listen_addresses=127.0.0.1', `port=${port}`];
  return settings.flatMap((setting) => ['-c', setting]);
}

export async function startPostgres(tls?: PostgresTls): Promise<PostgresServer> {
  const found = findPostgres();
  if (found === undefined) throw new Error('PostgreSQL is not installed');
  const bin: string = found;
  const root = temporaryFolder();
  const user = unprivileged();
  if (user.uid !== undefined && user.gid !== undefined) chownSync(root, user.uid, user.gid);
  const data = join(root, 'data');
  const env = { ...process.env, LC_ALL: 'C', HOME: root };
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'holdfast', '-A', 'trust', '--no-instructions'], {
    ...user,
    env,
    cwd: root,
  });
  const port = tls?.port ?? 5432;
  const more = tls === undefined ? [] : await configureTls(data, tls, user);
  const url = `postgres://holdfast@localhost:${port}/postgres?host=${encodeURIComponent(root)}`;
  let server: ChildProcess | undefined;

  async function isUp(): Promise<boolean> {
    if (!existsSync(join(root, `.s.PGSQL.${port}`))) return false;
    const { Client } = (await import('pg')).default;
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on('error', () => {});
    try {
      await client.connect();
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }

  async function start(): Promise<void> {
    const args = ['-D', data, '-k', root, '-c', 'listen_addresses=', '-c', 'max_connections=20', ...more];
    server = spawn(join(bin, 'postgres'), args, { ...user, env, cwd: dirname(data), stdio: 'ignore' });
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (await isUp()) return;
      await sleep(50);
    }
    throw new Error('PostgreSQL does not start');
  }

  async function end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill(signal);
    await once(server, 'exit');
  }

  await start();
  return {
    url,
    start,
    // Immediate shutdown: the next start recovers from the write-ahead log, as after a crash.
    kill: () => end('SIGQUIT'),
    remove: () => end('SIGINT'),
  };
}
