import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Io } from './command.ts';
import { CliError } from './errors.ts';

/** Tells whether there is a person at a terminal, who can be asked. */
export function canAskHidden({ stdin, stderr }: Io): boolean {
  return (stdin as { isTTY?: boolean }).isTTY === true && stderr.isTTY === true;
}

/**
 * Asks at the terminal for a line that is not shown.
 *
 * @param maxLength characters after which the line is cut: the caller refuses what is longer than it takes
 * @throws CliError INTERRUPTED for Ctrl-C, the end of the input and a signal
 */
export async function askHidden(
  { stdin, stderr, signal }: Io,
  question: string,
  maxLength: number,
): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  // With `terminal`, readline echoes by itself, into nothing.
  const lines = createInterface({ input: stdin, output: hidden, terminal: true, historySize: 0 });
  // Whoever is asked before the terminal has stopped its echo, and types fast, is seen.
  stderr.write(question);
  try {
    return await new Promise((resolve, reject) => {
      const interrupt = () => reject(new CliError('INTERRUPTED', 'interrupted'));
      lines.once('line', (line) => resolve(line.slice(0, maxLength)));
      lines.once('SIGINT', interrupt);
      lines.once('close', interrupt);
      signal.addEventListener('abort', interrupt, { once: true });
    });
  } finally {
    lines.close();
    stderr.write('\n');
  }
}
