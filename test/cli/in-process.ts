import { Readable } from 'node:stream';
import { nouns as allNouns } from '../../cli/nouns.ts';
import type { Nouns } from '../../cli/common/command.ts';
import { runCli } from '../../cli/run.ts';
import { collectOutput } from '../support/collect-output.ts';

export interface RunOptions {
  /** Content of standard input; empty when left out. */
  readonly stdin?: string | Uint8Array | Readable;
  /** True where all three streams are a terminal. */
  readonly isTerminal?: boolean;
  readonly nouns?: Nouns;
  readonly signal?: AbortSignal;
  /** Called with all that standard error has had so far, each time that something comes. */
  readonly onStderr?: (text: string) => void;
  /** Environment; empty when left out, so that no test depends on where it runs. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

export interface Finished {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `holdfast` in this process with streams of its own. */
export async function runHoldfast(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { stdin = '', isTerminal = false, nouns = allNouns, signal, env = {}, folder, onStderr } = options;
  const stdout = collectOutput({ isTTY: isTerminal });
  const stderr = collectOutput({ isTTY: isTerminal, onText: onStderr });
  const io = {
    stdin: Object.assign(stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]), {
      isTTY: isTerminal,
    }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: signal ?? new AbortController().signal,
    env,
    ...(folder === undefined ? {} : { folder }),
  };
  const exit = await runCli(args, io, nouns);
  return { exit, out: stdout.text(), err: stderr.text() };
}

/** Code and details of a refusal that was printed as JSON. */
export function refusalIn({ exit, out }: Finished): {
  exit: number;
  code: string;
  details: Record<string, unknown>;
} {
  const { ok, error } = JSON.parse(out) as {
    ok: boolean;
    error?: { code: string; details: Record<string, unknown> };
  };
  return { exit, code: ok ? 'TAKEN' : (error?.code ?? 'NONE'), details: error?.details ?? {} };
}
