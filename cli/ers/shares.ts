import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { MAX_WORDS_LENGTH } from '../../admin/recovery/index.ts';
import { type CommandInput, type Io, type OptionSpec, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { readKeyFile } from '../common/private-key.ts';

/** The most shares that are typed at a terminal. */
const MAX_ASKED = 16;

/** Options for the shares of custodians. Words are never arguments: everybody on the machine sees those. */
export const SHARE_OPTIONS = {
  share: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: "a file with one custodian's words, readable by you alone (repeat)",
  },
  ask: {
    type: 'string',
    value: 'N',
    description: 'ask for the words of so many custodians at the terminal, without showing them',
  },
} as const satisfies Record<string, OptionSpec>;

/**
 * Reads the words of custodians from files of their owner's, and from the terminal.
 *
 * @throws UsageError; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED, INTERRUPTED
 */
export async function readShares(input: CommandInput): Promise<string[]> {
  const words: string[] = [];
  for (const path of input.texts('share')) {
    const bytes = await readKeyFile(path);
    words.push(bytes.toString('utf8').trim());
    bytes.fill(0);
  }
  const count = readCount(input.text('ask'));
  for (let place = 1; place <= count; place += 1)
    words.push(await askHidden(input.io, `words of custodian ${place} of ${count}: `));
  return words;
}

function readCount(text: string | undefined): number {
  if (text === undefined) return 0;
  const count = /^[1-9][0-9]?$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MAX_ASKED)) throw new UsageError(`--ask is a number from 1 to ${MAX_ASKED}`);
  return count;
}

/** Asks for a line at the terminal that nobody sees. @throws UsageError without a terminal; CliError INTERRUPTED */
async function askHidden({ stdin, stderr, signal }: Io, question: string): Promise<string> {
  if ((stdin as { isTTY?: boolean }).isTTY !== true)
    throw new UsageError('--ask needs a terminal; --share takes files');
  stderr.write(question);
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  // With `terminal`, readline echoes by itself, into nothing.
  const lines = createInterface({ input: stdin, output: hidden, terminal: true, historySize: 0 });
  try {
    return await new Promise((resolve, reject) => {
      const interrupt = () => reject(new CliError('INTERRUPTED', 'interrupted'));
      lines.once('line', (line) => resolve(line.slice(0, MAX_WORDS_LENGTH + 1).trim()));
      lines.once('SIGINT', interrupt);
      lines.once('close', interrupt);
      signal.addEventListener('abort', interrupt, { once: true });
    });
  } finally {
    lines.close();
    stderr.write('\n');
  }
}
