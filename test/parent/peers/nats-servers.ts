import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findMadeOrSay } from '../../support/find-made.ts';
import { freePort, freePorts } from '../../support/free-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { CertificateFiles } from '../../../parent/peers/options.ts';
import type { Authority } from './authority.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Path of the real server; undefined, said loudly, where scripts/nats-server.sh has not made it. */
export function findNatsServer(): string | undefined {
  const folder = findMadeOrSay('the carrier by NATS was shown to no server', 'nats-server.sh');
  return folder && join(folder, 'nats-server');
}

/** Three real servers that are one cluster, with the configuration of docs/peers.md. */
export interface NatsCluster {
  readonly servers: readonly string[];
  /** Ends a server as a power cut would. */
  kill(index: number): Promise<void>;
  /** Starts a server with what it had stored; nothing where it runs. */
  start(index: number): Promise<void>;
  stop(): Promise<void>;
}

/** Configuration of a server as docs/peers.md has it. */
function readWritten(): string {
  const page = readFileSync(join(ROOT, 'docs/peers.md'), 'utf8');
  const [, written = ''] = /```\n(server_name: nats-1\n[\s\S]*?)```/.exec(page) ?? [];
  if (!written.includes('verify_and_map')) throw new Error('docs/peers.md has no configuration of a server');
  return written;
}

/** Puts files and folders of this machine into the place of those that the page names. */
function placeFiles(text: string, files: CertificateFiles, store: string): string {
  return text
    .replaceAll('/etc/nats/ca.pem', files.ca)
    .replaceAll('/etc/nats/server.pem', files.certificate)
    .replaceAll('/etc/nats/server.key', files.key)
    .replace('/var/lib/nats', store);
}

/** Starts one real server that is in no cluster, for the nodes of docs/peers.md. */
export async function startNatsServer(
  program: string,
  authority: Authority,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const folder = temporaryFolder();
  const files = authority.issue('nats', ['DNS:localhost']);
  const port = await freePort();
  const alone = readWritten().replace(/\ncluster \{\n[\s\S]*?\n\}\n/, '\n');
  const path = join(folder, 'alone.conf');
  writeFileSync(
    path,
    placeFiles(alone, files, join(folder, 'store')).replace('0.0.0.0:4222', `127.0.0.1:${port}`),
  );
  const child = spawn(program, ['-c', path, '-l', join(folder, 'alone.log')], { stdio: 'ignore' });
  await untilOpen(port, child);
  return {
    port,
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

export async function startNatsCluster(program: string, authority: Authority): Promise<NatsCluster> {
  const written = readWritten();
  const folder = temporaryFolder();
  const files = authority.issue('nats', ['DNS:localhost', 'IP:127.0.0.1']);
  const [clients, routes] = [await freePorts(3), await freePorts(3)];
  const processes: (ChildProcess | undefined)[] = [];

  const isRunning = (child: ChildProcess | undefined) =>
    child !== undefined && child.exitCode === null && child.signalCode === null;

  async function start(index: number): Promise<void> {
    if (isRunning(processes[index])) return;
    const path = join(folder, `${index}.conf`);
    const text = written
      .replaceAll(
        /nats-([123])\.acme\.example:6222/g,
        (_all, one: string) => `127.0.0.1:${routes[Number(one) - 1]}`,
      )
      .replace('server_name: nats-1', `server_name: nats-${index + 1}`)
      .replace('0.0.0.0:4222', `127.0.0.1:${clients[index]}`)
      .replace('0.0.0.0:6222', `127.0.0.1:${routes[index]}`);
    writeFileSync(path, placeFiles(text, files, join(folder, `store-${index}`)));
    const child = spawn(program, ['-c', path, '-l', join(folder, `${index}.log`)], { stdio: 'ignore' });
    processes[index] = child;
    await untilOpen(clients[index] ?? 0, child);
  }

  await Promise.all([0, 1, 2].map(start));
  const kill = async (index: number) => {
    const child = processes[index];
    if (child === undefined || !isRunning(child)) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    servers: clients.map((port) => `tls://localhost:${port}`),
    kill,
    start,
    async stop() {
      await Promise.all([0, 1, 2].map(kill));
    },
  };
}

async function untilOpen(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 900; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`nats-server has ended with ${child.exitCode}`);
    const socket = connect({ port, host: '127.0.0.1' });
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(100);
  }
  throw new Error('nats-server does not listen');
}
