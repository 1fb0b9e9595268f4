import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createControlClient } from '../../../shared/protocol/control-client.ts';
import { openEgress } from '../../../shared/protocol/egress-client.ts';
import { createUnixTransport } from '../../../shared/transport/unix-transport.ts';

/** Step of an installed parent on a machine that systemd has booted; run there, as root, in this order. */
export interface UnitStep {
  readonly name: string;
  run(): Promise<void> | void;
}

const UNIT = 'holdfast-parent.service';
const SOCKET = 'holdfast-parent-status.socket';
const DROP_INS = `/etc/systemd/system/${UNIT}.d`;
const CONFIG = '/etc/holdfast/parent.yaml';
const VSOCK = '/var/lib/holdfast/vsock';
// The page is reached by its address: the smallest Debian has no /etc/hosts.
const PAGE = { host: '127.0.0.1', port: 9464 };
const ECHO = { host: 'echo.example.com', port: 7 };

const shell = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const systemctl = (...args: string[]): string => shell('systemctl', '--no-pager', ...args);
const show = (property: string): string => systemctl('show', '--value', '-p', property, UNIT);
const mainPid = (): number => Number(show('MainPID'));
const journal = (...args: string[]): string =>
  shell('journalctl', '--no-pager', '-q', '-u', UNIT, '-o', 'cat', ...args);
const enclave = createUnixTransport({ directory: VSOCK, cid: 16 });

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = 180_000,
): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await holds()); await sleep(200)) {
    if (Date.now() > deadline) assert.fail(`not within ${timeoutMs} ms: ${what}`);
  }
}

function fails(...args: string[]): void {
  assert.throws(() => systemctl(...args));
}

async function get(
  path: string,
  at: { host: string; port: number } | { socketPath: string } = PAGE,
): Promise<string> {
  const asked = request({ path, ...at, timeout: 60_000, headers: { connection: 'close' } }).end();
  const [response] = (await once(asked, 'response')) as [AsyncIterable<Buffer>];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function readAll(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Configures the installed parent, with changed lines. */
function configure(changes: Readonly<Record<string, string>>): void {
  let text = readFileSync('/opt/holdfast/scripts/parent/parent.yaml', 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  writeFileSync(CONFIG, text);
}

function dropIn(unit: string, name: string, text: string): void {
  mkdirSync(`/etc/systemd/system/${unit}.d`, { recursive: true });
  writeFileSync(`/etc/systemd/system/${unit}.d/${name}.conf`, text);
  systemctl('daemon-reload');
}

// The unit as installed, without the test's own drop-in.
const COPY = 'holdfast-copy.service';
// Flags that no socket has: the kernel refuses them before it looks at the family, the filter refuses a family before that.
// So the filter is seen and nothing is opened.
const FAMILIES = `use Errno qw(EINVAL EAFNOSUPPORT);
my @families = (unix => 1, inet => 2, inet6 => 10, vsock => 40, netlink => 16, packet => 17);
while (my ($name, $family) = splice @families, 0, 2) {
  socket(my $socket, $family, 0x100001, 0) and die "$name was opened";
  print $name, $!{EINVAL} ? " EINVAL\\n" : $!{EAFNOSUPPORT} ? " EAFNOSUPPORT\\n" : " $!\\n";
}
`;
const ASK_FOR_FAMILIES = `[Service]
Type=oneshot
Restart=no
ExecStart=
ExecStart=/usr/bin/perl /etc/holdfast/families.pl
SyslogIdentifier=families
`;

const UNIX_SOCKETS = { 'region: eu-central-1': `transport: { unix: ${VSOCK} }\nregion: eu-central-1` };
const KMS_TARGET = '    - { host: kms.eu-central-1.amazonaws.com, port: 443 }';

/** Runs `act` with a target for the enclave that echoes what it is told. */
async function withEcho(act: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await act((server.address() as { port: number }).port);
  } finally {
    server.close();
  }
}
const echoTarget = (port: number) =>
  `${KMS_TARGET}\n    - { host: ${ECHO.host}, port: ${ECHO.port}, connectTo: { address: 127.0.0.1, port: ${port} } }`;

// With Unix sockets in place of vsock.
const life: readonly UnitStep[] = [
  {
    name: 'is started by nothing but an operator',
    run() {
      assert.equal(show('LoadState'), 'loaded');
      assert.equal(show('ActiveState'), 'inactive');
      assert.match(shell('holdfast', 'parent', 'check'), /is in order/);
    },
  },
  {
    name: 'fails to start where its configuration is wrong, and says why in the journal',
    run() {
      configure({ ...UNIX_SOCKETS, 'cid: 16': 'cid: 2' });
      fails('start', UNIT);
      systemctl('stop', UNIT);
      assert.match(journal(), /OPTION_INVALID/);
    },
  },
  {
    name: 'is active when it is ready, and not before',
    async run() {
      configure(UNIX_SOCKETS);
      writeFileSync('/etc/holdfast/manifest.json', 'the manifest');
      systemctl('enable', '--now', UNIT);
      assert.equal(show('ActiveState'), 'active');
      assert.deepEqual(JSON.parse(await get('/healthz')), { healthy: true });
      assert.equal(show('NRestarts'), '0');
      assert.equal(show('NotifyAccess'), 'main');
    },
  },
  {
    name: 'runs as a user of the moment, without capabilities or new privileges, behind a filter',
    run() {
      const status = readFileSync(`/proc/${mainPid()}/status`, 'utf8');
      const uid = Number(/^Uid:\t(\d+)/m.exec(status)?.[1]);
      assert.ok(uid >= 61_184 && uid <= 65_519, `uid ${uid}`);
      assert.match(status, /^CapEff:\t0+$/m);
      assert.match(status, /^CapBnd:\t0+$/m);
      assert.match(status, /^NoNewPrivs:\t1$/m);
      assert.match(status, /^Seccomp:\t2$/m);
      assert.equal(shell('stat', '-c', '%a', '/var/lib/private/holdfast'), '700');
      assert.equal(shell('readlink', '/var/lib/holdfast'), 'private/holdfast');
    },
  },
  {
    name: 'serves an enclave under its filter: artifacts, records on disk, status',
    async run() {
      const client = createControlClient(enclave, { timeoutMs: 60_000 });
      assert.equal(Buffer.from(await client.manifest()).toString(), 'the manifest');
      const key = { table: 'keys', id: 'one' };
      await client.commit([{ ...key, expectedRevision: 0, bytes: new Uint8Array(50_000).fill(7) }]);
      assert.equal((await client.readRecord(key))?.bytes.length, 50_000);
      await client.reportStatus('serving', null);
      assert.deepEqual(JSON.parse(await get('/readyz')), { ready: true });
      assert.match(shell('holdfast', 'parent', 'status'), /^node {8}serves/m);
      // The machine has neither network nor role: each of these ends in a refusal, and the parent goes on.
      await assert.rejects(client.credentials());
      await assert.rejects(client.secret('absent'));
      await assert.rejects(
        openEgress(enclave, { host: 'kms.eu-central-1.amazonaws.com', port: 443 }, { timeoutMs: 60_000 }),
      );
      client.close();
      assert.equal(show('NRestarts'), '0');
      assert.doesNotMatch(journal('-p', 'err', '_TRANSPORT=audit'), /SECCOMP/);
    },
  },
  {
    name: 'reads its allow-list again at a reload, in the same process',
    async run() {
      await withEcho(async (port) => {
        const open = () => openEgress(enclave, ECHO, { timeoutMs: 60_000 });
        await assert.rejects(open());
        configure({ ...UNIX_SOCKETS, [KMS_TARGET]: echoTarget(port) });
        const pid = mainPid();
        systemctl('reload', UNIT);
        await until('reloaded', () => journal().includes('"parent.reloaded"'));
        await until('active again', () => show('ActiveState') === 'active');
        const stream = await open();
        stream.end('through the reload');
        assert.equal(await readAll(stream), 'through the reload');
        assert.equal(mainPid(), pid);
      });
    },
  },
  {
    name: 'lets connections end when it is stopped, and keeps what it acknowledged',
    async run() {
      await withEcho(async (port) => {
        configure({ ...UNIX_SOCKETS, [KMS_TARGET]: echoTarget(port) });
        systemctl('restart', UNIT);
        const stream = await openEgress(enclave, ECHO, { timeoutMs: 60_000 });
        const stopped = shell('systemctl', 'stop', '--no-block', UNIT);
        assert.equal(stopped, '');
        await until('stopping', () => show('ActiveState') === 'deactivating');
        stream.end('last words');
        assert.equal(await readAll(stream), 'last words');
        await until('stopped', () => show('ActiveState') === 'inactive');
        assert.equal(show('Result'), 'success');
        assert.match(journal('-n', '20'), /"parent.stopped"/);
      });
      systemctl('start', UNIT);
      const client = createControlClient(enclave, { timeoutMs: 60_000 });
      assert.equal((await client.readRecord({ table: 'keys', id: 'one' }))?.revision, 1);
      client.close();
    },
  },
  {
    name: 'writes one JSON object a line into the journal, and nothing else',
    run() {
      const lines = journal('-t', 'holdfast-parent')
        .split('\n')
        .filter((line) => line.startsWith('{'));
      assert.ok(lines.length > 5);
      for (const line of lines) {
        const { time, level, event } = JSON.parse(line) as Record<string, unknown>;
        assert.ok(
          [time, level, event].every((field) => typeof field === 'string'),
          line,
        );
      }
    },
  },
  {
    name: 'is exposed by at most 1.5, as the booted systemd counts',
    run() {
      copyFileSync(`/etc/systemd/system/${UNIT}`, `/etc/systemd/system/${COPY}`);
      systemctl('daemon-reload');
      const said = shell('systemd-analyze', 'security', '--no-pager', '--threshold=15', COPY);
      assert.match(said, /exposure level for holdfast-copy\.service: (0\.[0-9]|1\.[0-5]) /);
    },
  },
  {
    name: 'lets AF_VSOCK through its filter, and no address family that it does not need',
    run() {
      writeFileSync('/etc/holdfast/families.pl', FAMILIES);
      dropIn(COPY, 'families', ASK_FOR_FAMILIES);
      systemctl('start', COPY);
      assert.equal(
        shell('journalctl', '--no-pager', '-q', '-t', 'families', '-o', 'cat'),
        'unix EINVAL\ninet EINVAL\ninet6 EINVAL\nvsock EINVAL\nnetlink EAFNOSUPPORT\npacket EAFNOSUPPORT',
      );
    },
  },
  {
    // The limits are read as systemd has applied them; a container may have no controller for them, and the limits of
    // its surroundings.
    name: 'has its memory, its tasks and its files bounded',
    run() {
      const bounds = ['MemoryMax', 'MemoryHigh', 'TasksMax', 'LimitNOFILE', 'LimitCORE'].map(show);
      assert.deepEqual(bounds, [`${1024 ** 3}`, `${768 * 1024 ** 2}`, '64', '65536', '0']);
    },
  },
  {
    name: 'is killed by the watchdog when it hangs, and started again',
    async run() {
      dropIn(UNIT, 'watchdog', '[Service]\nWatchdogSec=12s\n');
      systemctl('restart', UNIT);
      const pid = mainPid();
      await sleep(15_000);
      assert.equal(mainPid(), pid, 'it lives longer than its watchdog as long as it does not hang');
      process.kill(pid, 'SIGSTOP');
      await until('another process', () => ![0, pid].includes(mainPid()) && show('ActiveState') === 'active');
      assert.equal(show('NRestarts'), '1');
      assert.match(journal(), /Watchdog timeout/);
      rmSync(`${DROP_INS}/watchdog.conf`);
      systemctl('daemon-reload');
    },
  },
  {
    name: 'is started again after a SIGKILL',
    async run() {
      systemctl('restart', UNIT);
      const pid = mainPid();
      process.kill(pid, 'SIGKILL');
      await until('another process', () => ![0, pid].includes(mainPid()) && show('ActiveState') === 'active');
      const client = createControlClient(enclave, { timeoutMs: 60_000 });
      assert.equal((await client.listRecords()).length, 1);
      client.close();
    },
  },
  {
    name: 'takes the socket of its status page from systemd, which comes and goes with it',
    async run() {
      systemctl('enable', SOCKET);
      systemctl('restart', UNIT);
      assert.equal(systemctl('is-active', SOCKET), 'active');
      assert.match(await get('/metrics'), /^process_open_fds [0-9]+$/m);
      systemctl('stop', UNIT);
      fails('is-active', SOCKET);
      await assert.rejects(get('/metrics'));
      assert.equal(show('ActiveState'), 'inactive');
      systemctl('start', UNIT);
      process.kill(mainPid(), 'SIGKILL');
      await until('status page', () =>
        get('/healthz').then(
          (text) => text.includes('true'),
          () => false,
        ),
      );
    },
  },
  {
    name: 'serves its status page at a socket of the Unix domain, to a group',
    async run() {
      const path = '/run/holdfast-parent/status.sock';
      dropIn(SOCKET, 'unix', `[Socket]\nListenStream=\nListenStream=${path}\nSocketGroup=adm\n`);
      systemctl('restart', UNIT);
      assert.match(await get('/metrics', { socketPath: path }), /^process_open_fds /m);
      assert.equal(shell('stat', '-c', '%a %G', path), '660 adm');
      await assert.rejects(get('/metrics'));
      systemctl('disable', '--now', SOCKET);
      rmSync(`/etc/systemd/system/${SOCKET}.d`, { recursive: true });
      systemctl('daemon-reload');
    },
  },
];

const runInstall = ([program = '', ...args]: readonly string[]) => shell(program, ...args);

/** Lists all steps, in order. `install` is the command that installs the parent. */
export const unitSteps = (install: readonly string[]): readonly UnitStep[] => [
  {
    name: 'is installed by its script',
    run() {
      assert.match(runInstall(install), /^installed/m);
    },
  },
  ...life,
  {
    name: 'is brought up to date by another installation, running, with its configuration as it was',
    run() {
      appendFileSync(CONFIG, '# mine\n');
      systemctl('restart', UNIT);
      const pid = mainPid();
      runInstall(install);
      assert.notEqual(mainPid(), pid);
      assert.equal(show('ActiveState'), 'active');
      assert.match(readFileSync(CONFIG, 'utf8'), /# mine/);
    },
  },
  {
    name: 'is removed, but for its configuration and its records',
    run() {
      shell('/opt/holdfast/scripts/install-parent.sh', '--uninstall');
      assert.equal(show('LoadState'), 'not-found');
      assert.deepEqual(
        ['/opt/holdfast', `/etc/systemd/system/${UNIT}`, `/etc/systemd/system/${SOCKET}`].filter(existsSync),
        [],
      );
      assert.ok(existsSync(CONFIG));
      assert.ok(existsSync('/var/lib/private/holdfast/records.sqlite'));
    },
  },
];
