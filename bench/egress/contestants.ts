import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from 'node:events';
import { encodePreamble } from '../../shared/transport/unix-preamble.ts';
import type { Peers } from './peers.ts';

/** Way to the target. */
export interface Contestant {
  readonly name: string;
  /** Address as `unix:PATH` or `tcp:PORT`. */
  readonly address: string;
  /** First bytes of a connection, in hex; `-` for none. */
  readonly preamble: string;
  /** Starts the contestant where it has not been started, or has died. */
  ensure(): Promise<void>;
  /** Usage of the process in between and its children; undefined without one. */
  usage(): Usage | undefined;
  stop(): Promise<void>;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

const ROOT = join(import.meta.dirname, '../..');
const PORT = 8_000;
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** Bare kernel, straight to the target: the most that the generator itself can do. */
export function direct(port: number): Contestant {
  return {
    name: 'no proxy',
    address: `tcp:${port}`,
    preamble: '-',
    ensure: () => Promise.resolve(),
    usage: () => undefined,
    stop: () => Promise.resolve(),
  };
}

/** Least that any relay does: splice(2) in two threads for each connection. */
export function spliceRelay({ spliceRelay: program }: Peers, port: number, directory: string): Contestant {
  const path = join(directory, 'splice.sock');
  return inBetween('splice(2)', path, () => spawn(program, [path, String(port)], { stdio: 'ignore' }));
}

/** socat with a process for each connection, as its manual has it, and 64 KiB buffers. */
export function socat(port: number, directory: string): Contestant | undefined {
  if (spawnSync('socat', ['-V']).error !== undefined) return undefined;
  const path = join(directory, 'socat.sock');
  const args = ['-b', '65536', `UNIX-LISTEN:${path},fork,backlog=4096`, `TCP:127.0.0.1:${port},nodelay`];
  return inBetween('socat', path, () => spawn('socat', args, { stdio: 'ignore' }));
}

/** vsock-proxy of AWS, as it was built, behind a listener that is a Unix socket in place of a vsock one. */
export function vsockProxy(
  { vsockShim }: Peers,
  program: string,
  workers: number,
  port: number,
  directory: string,
): Contestant {
  const path = join(directory, `vsock-proxy-${workers}.sock`);
  const args = ['-w', String(workers), String(PORT), '127.0.0.1', String(port), '--config'];
  return inBetween(`vsock-proxy -w ${workers}`, path, () =>
    spawn(program, [...args, writeAllowList(directory, port)], {
      stdio: 'ignore',
      env: { LD_PRELOAD: vsockShim, VSOCK_SHIM_PATH: path },
    }),
  );
}

/** Our own proxy, as it runs in place of vsock-proxy, with Unix sockets in place of vsock. */
export function holdfast(port: number, directory: string): Contestant {
  const args = ['cli/main.ts', 'parent', 'vsock-proxy', String(PORT), '127.0.0.1', String(port)];
  const options = ['--num_workers', '4096', '--config', writeAllowList(directory, port), '--unix', directory];
  return inBetween(
    'holdfast',
    join(directory, `3-${PORT}.sock`),
    () =>
      spawn(process.execPath, [...args, ...options], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] }),
    Buffer.from(encodePreamble({ cid: 16, port: 0x4000_0000 })).toString('hex'),
  );
}

/** Writes an allow-list in the format that AWS's proxy and ours both read. */
function writeAllowList(directory: string, port: number): string {
  const path = join(directory, 'allowlist.yaml');
  writeFileSync(path, `allowlist:\n- {address: 127.0.0.1, port: ${port}}\n`);
  return path;
}

function inBetween(name: string, path: string, start: () => ChildProcess, preamble = '-'): Contestant {
  let child: ChildProcess | undefined;
  const isAlive = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (child === undefined || !isAlive()) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    name,
    address: `unix:${path}`,
    preamble,
    stop,
    async ensure() {
      if (isAlive()) return;
      rmSync(path, { force: true });
      child = start();
      for (let tries = 0; !(await accepts(path)); tries += 1) {
        if (!isAlive() || tries > 600) throw new Error(`${name} does not start`);
        await sleep(50);
      }
    },
    usage: () => (child?.pid === undefined || !isAlive() ? undefined : readUsage(child.pid)),
  };
}

async function accepts(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function readUsage(pid: number): Usage {
  let cpuSeconds = 0;
  let residentBytes = 0;
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      const fields = readFileSync(`/proc/${one}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      const own = Number(fields[11]) + Number(fields[12]);
      // A process that waits for its children counts those that have ended as its own.
      const past = one === pid ? Number(fields[13]) + Number(fields[14]) : 0;
      cpuSeconds += (own + past) / TICKS_PER_SECOND;
      residentBytes += Number(readFileSync(`/proc/${one}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
    } catch {
      // The process has ended in the meantime.
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
