import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runHoldfast } from '../in-process.ts';
import type { WitnessedLog } from '../../support/witnesses.ts';

const MAIN = join(import.meta.dirname, '../../../cli/main.ts');

/** `holdfast audit witness` as a process of its own. */
export interface WitnessProcess extends AsyncDisposable {
  readonly url: string;
  readonly vkeys: readonly string[];
  readonly pid: number;
  /** Ends as a power cut ends it. */
  kill(): Promise<void>;
  /** Ends as its operator ends it; the exit code. */
  stop(): Promise<number | null>;
}

/** Makes the keys and the memory of a witness; the folder must not have them. */
export async function makeWitness(folder: string, name: string): Promise<readonly string[]> {
  const { exit, out, err } = await runHoldfast(['audit', 'witness-keygen', folder, '--name', name, '--json']);
  if (exit !== 0) throw new Error(`no witness was made: ${err}${out}`);
  return (JSON.parse(out) as { vkeys: string[] }).vkeys;
}

/** Writes the list of logs that a witness follows. */
export function writeLogsFile(path: string, logs: readonly WitnessedLog[]): string {
  const entries = logs.map(({ origin, vkey }) => `  - origin: ${origin}\n    keys: ["${vkey}"]\n`);
  writeFileSync(path, `logs:\n${entries.join('')}`);
  return path;
}

/** Starts the witness of a folder on a free port of loopback. */
export async function startWitness(folder: string, logsFile: string): Promise<WitnessProcess> {
  const args = [MAIN, 'audit', 'witness', folder, '--logs', logsFile, '--listen', '127.0.0.1:0', '--json'];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  if (child.stdout === null) throw new Error('no output');
  const lines = createInterface({ input: child.stdout });
  const [first] = (await Promise.race([
    once(lines, 'line'),
    exited.then(([code]) => Promise.reject(new Error(`the witness ended with ${String(code)}`))),
  ])) as [string];
  const { url, vkeys } = JSON.parse(first) as { url: string; vkeys: string[] };
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    const [code] = await exited;
    return code;
  };
  return {
    url,
    vkeys,
    pid: child.pid ?? 0,
    kill: async () => {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
    },
  };
}
