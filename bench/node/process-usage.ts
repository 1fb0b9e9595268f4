import { readdirSync, readFileSync } from 'node:fs';

/**
 * Reads the milliseconds that all threads of a process have spent on a processor so far, from the scheduler's own
 * count.
 */
export function readCpuTime(pid: number): number {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [running = '0'] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    nanoseconds += Number(running);
  }
  return nanoseconds / 1e6;
}

/** Memory in MB (10^6 bytes): `anonymous` is the process's own, `file` the parts of programs that it has mapped. */
export interface Memory {
  readonly resident: number;
  readonly peak: number;
  readonly anonymous: number;
  readonly file: number;
}

export function readMemory(pid: number): Memory {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(\w+):\s+(\d+) kB$/gm);
  const fields = new Map([...lines].map(([, name, value]) => [name, (Number(value) * 1024) / 1e6]));
  const read = (name: string) => fields.get(name) ?? Number.NaN;
  return {
    resident: read('VmRSS'),
    peak: read('VmHWM'),
    anonymous: read('RssAnon'),
    file: read('RssFile'),
  };
}

const TICK_MS = 10; // Of /proc/stat: USER_HZ is 100 on Linux.

/** Reads the milliseconds that all processors together have been at work so far, for any process. */
export function readBusyTime(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[0] ?? ''
  )
    .split(/ +/)
    .map(Number);
  return (user + nice + system + irq + softirq) * TICK_MS;
}
