import { spawn } from 'node:child_process';
import type { Log } from '../common/log.ts';

export interface ConsoleOptions {
  readonly program: string;
  readonly id: string;
  readonly log: Log;
}

const MAX_LINE_CHARACTERS = 512;
const MAX_LINES_A_SECOND = 100;
const NOT_PRINTABLE = /[^ -~]/g;

/**
 * Follows the console of an enclave in debug mode, the only kind that has one, into the log: one event a line, in a
 * field named `untrusted`, since the program in the enclave writes what it likes. Lines are printable ASCII, cut to 512
 * characters, and at most 100 a second. Returns a function that ends it; it also ends with the enclave.
 */
export function followConsole({ program, id, log }: ConsoleOptions): () => void {
  const child = spawn(program, ['console', '--enclave-id', id], { stdio: ['ignore', 'pipe', 'ignore'] });
  const allowed = createBudget((dropped) => log('warn', 'enclave.console-dropped', { id, lines: dropped }));
  let line = '';
  const write = () => {
    if (line !== '' && allowed.take()) log('info', 'enclave.console', { id, untrusted: line });
    line = '';
  };
  child.on('error', () => log('warn', 'enclave.console-ended', { id }));
  child.once('exit', (status, signal) => {
    allowed.end();
    log('info', 'enclave.console-ended', { id, status, signal });
  });
  child.stdout.on('data', (chunk: Buffer) => {
    const [rest = '', ...more] = chunk.toString('latin1').split('\n');
    const add = (text: string) => {
      line = (line + text.replace(NOT_PRINTABLE, '')).slice(0, MAX_LINE_CHARACTERS);
    };
    add(rest);
    for (const next of more) {
      write();
      add(next);
    }
  });
  child.stdout.once('close', write);
  return () => {
    allowed.end();
    child.kill('SIGKILL');
  };
}

/** Budget of lines a second; reports after each second how many were dropped. */
function createBudget(onDropped: (count: number) => void) {
  let taken = 0;
  const timer = setInterval(() => {
    if (taken > MAX_LINES_A_SECOND) onDropped(taken - MAX_LINES_A_SECOND);
    taken = 0;
  }, 1_000).unref();
  return {
    take: () => (taken += 1) <= MAX_LINES_A_SECOND,
    end: () => clearInterval(timer),
  };
}
