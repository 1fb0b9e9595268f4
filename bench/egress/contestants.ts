import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';

/** A way to the target, and the process that costs something on it. */
export interface Contestant {
  readonly name: string;
  readonly pid: number | undefined;
  readonly dial: () => Promise<Duplex>;
  readonly stop: () => Promise<void>;
}

const ROOT = join(import.meta.dirname, '../..');
const PORT = 8_000;

/** The bare kernel: straight to the target. What any proxy can at best be. */
export function startDirect(port: number): Contestant {
  return {
    name: 'no proxy',
    pid: undefined,
    dial: () => dial(connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })),
    stop: () => Promise.resolve(),
  };
}

/** Our own, as it runs in place of vsock-proxy, with Unix sockets in place of vsock. */
export async function startOurs(port: number, directory: string): Promise<Contestant> {
  const list = join(directory, 'allowlist.yaml');
  writeFileSync(list, `allowlist:\n- {address: 127.0.0.1, port: ${port}}\n`);
  const args = ['cli/main.ts', 'parent', 'vsock-proxy', String(PORT), '127.0.0.1', String(port)];
  const options = ['--num_workers', '4096', '--config', list, '--unix', directory];
  const child = spawn(process.execPath, [...args, ...options], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const transport = createUnixTransport({ directory, cid: 16 });
  const contestant: Contestant = {
    name: 'holdfast',
    pid: child.pid,
    dial: () => transport.connect({ cid: 3, port: PORT }, { timeoutMs: 30_000 }),
    stop: () => kill(child),
  };
  await untilServes(contestant);
  return contestant;
}

export function hasSocat(): boolean {
  try {
    execFileSync('socat', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** socat with a process for each connection, as its manual has it, and 64 KiB buffers. */
export async function startSocat(port: number, directory: string): Promise<Contestant> {
  const path = join(directory, 'socat.sock');
  const listen = `UNIX-LISTEN:${path},fork,backlog=4096`;
  const child = spawn('socat', ['-b', '65536', listen, `TCP:127.0.0.1:${port},nodelay`], { stdio: 'ignore' });
  const contestant: Contestant = {
    name: 'socat',
    pid: child.pid,
    dial: () => dial(connect({ path, allowHalfOpen: true })),
    stop: () => kill(child),
  };
  while (!existsSync(path)) await sleep(10);
  await untilServes(contestant);
  return contestant;
}

async function dial(socket: Socket): Promise<Duplex> {
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

async function untilServes({ dial: connectOnce }: Contestant): Promise<void> {
  for (;;) {
    try {
      (await connectOnce()).destroy();
      return;
    } catch {
      await sleep(50);
    }
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** CPU seconds and resident bytes of a process and its children. */
export function readUsage(pid: number): { cpuSeconds: number; residentBytes: number } {
  let cpuSeconds = 0;
  let residentBytes = 0;
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      const fields = readFileSync(`/proc/${one}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      const own = Number(fields[11]) + Number(fields[12]);
      // A process that waits for its children counts those that have ended as its own.
      const ended = one === pid ? Number(fields[13]) + Number(fields[14]) : 0;
      cpuSeconds += (own + ended) / 100;
      residentBytes += Number(readFileSync(`/proc/${one}/statm`, 'latin1').split(' ')[1]) * 4_096;
    } catch {
      // It has ended in the meantime.
    }
  }
  return { cpuSeconds, residentBytes };
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}
