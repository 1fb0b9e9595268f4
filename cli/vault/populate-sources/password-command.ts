import { spawn } from 'node:child_process';

export interface PasswordCommand {
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  readonly allowStderr: boolean;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** What a program printed, or why that counts as nothing. */
export type CommandOutput =
  | { readonly value: Buffer }
  | { readonly problem: string; readonly exitCode?: number; readonly complaint?: string };

const MAX_OUTPUT_BYTES = 64 * 1024;
const MAX_COMPLAINT = 300;

/**
 * Runs a program as it is, without a shell, and takes what it prints. A program that fails, complains, prints too much or
 * takes too long gives nothing; it is then ended, with whatever it has started.
 */
export function runPasswordCommand(options: PasswordCommand): Promise<CommandOutput> {
  const [program = '', ...args] = options.command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.folder,
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: false,
      // A group of its own, so that what it has started ends with it.
      detached: true,
    });
    const pieces: Buffer[] = [];
    let size = 0;
    let complaint = '';
    let ended: string | undefined;
    const end = (problem: string): void => {
      ended ??= problem;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // ESRCH: the process group has ended by itself.
      }
    };
    const timer = setTimeout(
      () => end(`no value within ${options.timeoutSeconds} s`),
      options.timeoutSeconds * 1000,
    );
    const onAbort = (): void => end('interrupted');
    options.signal.addEventListener('abort', onAbort, { once: true });
    if (options.signal.aborted) onAbort();
    child.stdout.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size > MAX_OUTPUT_BYTES) end(`more than ${MAX_OUTPUT_BYTES} bytes`);
      else pieces.push(piece);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, MAX_COMPLAINT);
    });
    const finish = (failure?: Exclude<CommandOutput, { value: Buffer }>): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      const value = failure === undefined ? Buffer.concat(pieces) : undefined;
      for (const piece of pieces) piece.fill(0);
      resolve(value === undefined ? { problem: '', ...failure } : { value });
    };
    child.once('error', (error: NodeJS.ErrnoException) =>
      finish({ problem: `not started: ${error.code ?? 'failed'}` }),
    );
    child.once('close', (code, killed) => {
      const said = complaint.trim() === '' ? {} : { complaint: complaint.trim() };
      if (ended !== undefined) finish({ problem: ended, ...said });
      else if (code !== 0) {
        finish({
          problem: killed === null ? 'it failed' : `ended by ${killed}`,
          ...(code === null ? {} : { exitCode: code }),
          ...said,
        });
      } else if (complaint.trim() !== '' && !options.allowStderr) {
        finish({ problem: 'it wrote to its standard error', exitCode: 0, ...said });
      } else finish();
    });
  });
}
