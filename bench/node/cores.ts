import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Core on which the enclave runs alone; everything else runs on the other one. */
export const ENCLAVE_CORE = 0;
export const OTHER_CORE = 1;

function runTaskset(...args: string[]): boolean {
  try {
    execFileSync('taskset', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** True where processes can be held to cores: taskset exists, and two cores do. */
export const canPin = availableParallelism() > 1 && runTaskset('-p', String(process.pid));

/** Holds this process, and those that it starts from now on, to a core. */
export function pinSelf(core: number): void {
  if (canPin) runTaskset('-a', '-p', '-c', String(core), String(process.pid));
}

/** Starts a process that runs on a core from its first instruction on: a process is born on its parent's core. */
export async function startOn<T>(core: number, start: () => Promise<T>): Promise<T> {
  if (!canPin) return await start();
  runTaskset('-p', '-c', String(core), String(process.pid));
  try {
    return await start();
  } finally {
    runTaskset('-p', '-c', String(OTHER_CORE), String(process.pid));
  }
}
