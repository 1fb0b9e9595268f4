import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Io } from './command.ts';
import { CliError } from './errors.ts';

/**
 * Shows a text to the person at the terminal and waits for a yes. Without a terminal nobody is asked.
 *
 * @returns true where the text was shown and answered
 * @throws CliError DECLINED
 */
export async function confirm(io: Io, text: string, question: string): Promise<boolean> {
  const { stdin, stderr, signal } = io;
  if ((stdin as { isTTY?: boolean }).isTTY !== true || stderr.isTTY !== true) return false;
  stderr.write(`${text}\n\n`);
  // `terminal: false` leaves Ctrl-C a signal.
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    const answer = await Promise.race([
      lines.question(`${question} [y/N] `, { signal }),
      once(lines, 'close').then(() => ''),
    ]);
    if (/^y(?:es)?$/i.test(answer.trim())) return true;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    lines.close();
  }
  throw new CliError('DECLINED', 'the person said no, and nothing was done');
}
