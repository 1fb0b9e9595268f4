import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Program that runs the command, and its arguments before the noun: a testbed's people have their own tools. */
export type HoldfastCommand = readonly [program: string, ...args: string[]];

/** What a verb has said with `--json`, and its exit code. */
export interface CommandResult {
  readonly exit: number | null;
  readonly said: Readonly<Record<string, unknown>> & {
    readonly ok?: boolean;
    readonly error?: { readonly code: string };
  };
}

/** Runs one verb of the command as a process of its own, in a folder without settings. */
export async function runCommand(
  command: HoldfastCommand,
  args: readonly string[],
  cwd: string,
): Promise<CommandResult> {
  const child = start(command, args, cwd);
  const exited = once(child, 'close') as Promise<[number | null]>;
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [exit] = await exited;
  const text = Buffer.concat(chunks).toString('utf8');
  return { exit, said: JSON.parse(text) as CommandResult['said'] };
}

/** A verb that goes on until it is stopped. */
export interface RunningCommand {
  /** First line that it has printed, as JSON. */
  readonly first: unknown;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a verb that serves, and waits for its first line. @throws Error when it ends before */
export async function startCommand(
  command: HoldfastCommand,
  args: readonly string[],
  cwd: string,
): Promise<RunningCommand> {
  const child = start(command, args, cwd);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  if (child.stdout === null) throw new TypeError('expected an output');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`holdfast ${args.join(' ')} ended with ${code}`))),
  ])) as [string];
  return {
    first: JSON.parse(line),
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function start([program, ...before]: HoldfastCommand, args: readonly string[], cwd: string): ChildProcess {
  return spawn(program, [...before, ...args, '--json'], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Runs a program to its end in a process of its own. @throws Error with the end of what it has said, where it fails */
export async function runProgram([program, ...args]: HoldfastCommand): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [exit] = (await once(child, 'close')) as [number | null];
  if (exit !== 0) throw new Error(`${program} ended with ${exit}: ${said.trim().slice(-500)}`);
}
