import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeSystemdSockets } from '../../parent/systemd-sockets.ts';
import { dialRaw, helloFrame } from './peers/raw-parent.ts';
import { freePort } from '../support/free-ports.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** Opens a socket that nobody else listens at, and becomes the program that it is passed to. */
const PASS_SOCKET = String.raw`
use strict; use Socket; use POSIX ();
my ($address, $name, @command) = @ARGV;
my $tcp = $address =~ /^([0-9.]+):([0-9]+)$/;
my ($host, $port) = ($1, $2);
socket(my $socket, $tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0) or die;
bind($socket, $tcp ? pack_sockaddr_in($port, inet_aton($host)) : pack_sockaddr_un($address)) or die $!;
listen($socket, 16) or die;
$^F = 3;
POSIX::dup2(fileno($socket), 3) if fileno($socket) != 3;
use Fcntl;
open(my $three, ">&=3") or die;
fcntl($three, F_SETFD, 0) or die;
@ENV{qw(LISTEN_PID LISTEN_FDS LISTEN_FDNAMES)} = ($$, 1, $name);
exec @command or die;
`;

describe('the sockets that systemd passes', () => {
  const take = (environment: NodeJS.ProcessEnv) => [...takeSystemdSockets(environment, 77)];
  const passed = (names: string, count = '1', pid = '77') => ({
    LISTEN_PID: pid,
    LISTEN_FDS: count,
    LISTEN_FDNAMES: names,
  });

  test('begin at descriptor 3, each under its name', () => {
    expect(take(passed('status'))).toEqual([['status', 3]]);
    expect(take(passed('status:other', '2'))).toEqual([
      ['status', 3],
      ['other', 4],
    ]);
  });

  test('are none without the variables, and none where they mean another process', () => {
    expect(take({})).toEqual([]);
    expect(take({ LISTEN_FDS: '1', LISTEN_FDNAMES: 'status' })).toEqual([]);
    expect(take({ LISTEN_PID: '77' })).toEqual([]);
    expect(take(passed('status', '1', '78'))).toEqual([]);
    expect(take(passed('status', '1', '077'))).toEqual([]);
    expect(take(passed('', '0'))).toEqual([]);
  });

  test('are no longer in the environment of children', () => {
    const environment = { ...passed('status'), PATH: '/bin' };
    take(environment);
    expect(environment).toEqual({ PATH: '/bin' });
  });

  test.each([
    ['no number', passed('status', 'one')],
    ['a number that is not whole', passed('status', '1.5')],
    ['a number with a zero in front', passed('status', '01')],
    ['a negative number', passed('status', '-1')],
    ['more than there can be', passed(Array.from({ length: 17 }, (_, index) => `${index}`).join(':'), '17')],
    ['fewer names than sockets', passed('status', '2')],
    ['more names than sockets', passed('status:other', '1')],
    ['no names', { LISTEN_PID: '77', LISTEN_FDS: '2' }],
    ['one name twice', passed('status:status', '2')],
  ])('are refused with %s', (_name, environment) => {
    expect(() => take(environment)).toThrow(
      expect.objectContaining({ name: 'ParentOptionError', code: 'OPTION_INVALID' }),
    );
  });
});

describe('the daemon that gets its status page’s socket passed', () => {
  let directory: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    directory = temporaryFolder();
    writeFileSync(
      join(directory, 'parent.yaml'),
      `
enclave: {cid: 16}
transport: {unix: ${directory}/vsock}
artifacts: {manifest: ${directory}/manifest.json, configuration: ${directory}/configuration.json, secrets: ${directory}/secrets}
store: {sqlite: ${directory}/records.sqlite}
egress: {allowlist: []}
status: {listen: '127.0.0.1:1'}
`,
    );
  });
  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  /** As systemd does it: the open socket is descriptor 3 of a process that is told so by its own pid. */
  function startWith(address: string, name: string): ChildProcess {
    const config = join(directory, 'parent.yaml');
    const command = [process.execPath, MAIN, 'parent', 'run', '--config', config];
    child = spawn('perl', ['-e', PASS_SOCKET, address, name, ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return child;
  }
  async function started(process: ChildProcess): Promise<void> {
    for await (const line of createInterface({ input: process.stdout ?? ([] as never) })) {
      if (line.includes('"parent.started"')) return;
    }
    throw new Error('it did not start');
  }
  async function get(path: string, at: { port: number } | { socketPath: string }): Promise<string> {
    const asked = request({ path, ...at, headers: { connection: 'close' } }).end();
    const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  test('serves it there, on loopback, and not at the configured address', async () => {
    const port = await freePort();
    await started(startWith(`127.0.0.1:${port}`, 'status'));
    expect(JSON.parse(await get('/status', { port }))).toMatchObject({ enclave: { cid: 16 } });
    expect(await get('/metrics', { port })).toContain('process_resident_memory_bytes');
  });

  test('serves it at a socket of the Unix domain, and leaves its file when it stops', async () => {
    const path = join(directory, 'status.sock');
    const process = startWith(path, 'status');
    await started(process);
    expect(JSON.parse(await get('/healthz', { socketPath: path }))).toEqual({ healthy: true });
    process.kill('SIGTERM');
    expect(await once(process, 'exit')).toEqual([0, null]);
    expect(existsSync(path)).toBe(true);
  });

  test('greets the parents of other nodes at the socket for them', async () => {
    const [port, other] = [await freePort(), await freePort()];
    appendFileSync(
      join(directory, 'parent.yaml'),
      `peers: {node: 1, listen: '127.0.0.1:${other}', nodes: [{node: 2}]}\n`,
    );
    await started(startWith(`127.0.0.1:${port}`, 'peers'));
    const dialled = await dialRaw({ host: '127.0.0.1', port });
    dialled.socket.write(helloFrame(2, 1));
    await once(dialled.socket, 'data');
    expect(dialled.received()).toContain('hello');
    dialled.close();
    await expect(dialRaw({ host: '127.0.0.1', port: other })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test.each([
    ['for other nodes that parent.yaml does not name', async () => `127.0.0.1:${await freePort()}`, 'peers'],
    ['that other machines can reach', async () => `0.0.0.0:${await freePort()}`, 'status'],
    [
      'under a name that means nothing to it',
      () => Promise.resolve(join(directory, 'metrics.sock')),
      'metrics',
    ],
  ])('does not start with a socket %s', async (_name, address, name) => {
    const process = startWith(await address(), name);
    const [code] = (await once(process, 'exit')) as [number];
    expect(code).toBe(1);
  });
});
