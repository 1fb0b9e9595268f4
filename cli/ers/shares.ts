import {
  type Custodians,
  MAX_WORDS_LENGTH,
  type VerifiedShare,
  verifyShare,
} from '../../admin/recovery/index.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../common/command.ts';
import { askHidden, canAskHidden } from '../common/hidden-input.ts';
import { inFile } from '../common/in-file.ts';
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
 * Reads the words of custodians from files of their owner's, and from the terminal. Each share is verified by itself before
 * the next one is asked for, and a refusal names the file or the turn: whose it is.
 *
 * @throws UsageError; RecoveryCeremonyError CUSTODIAN_SHARE_MALFORMED, CUSTODIAN_UNKNOWN; CliError KEY_FILE_EXPOSED, KEY_FILE_MALFORMED, INTERRUPTED
 */
export async function readShares(
  input: CommandInput,
  custodians?: Custodians,
): Promise<{ readonly words: readonly string[]; readonly shares: readonly VerifiedShare[] }> {
  const words: string[] = [];
  const shares: VerifiedShare[] = [];
  const take = (whose: string, text: string) => {
    shares.push(inFile(whose, () => verifyShare(text, custodians)));
    words.push(text);
  };
  for (const path of input.texts('share')) {
    const bytes = await readKeyFile(path);
    const text = bytes.toString('utf8').trim();
    bytes.fill(0);
    take(path, text);
  }
  const count = readCount(input.text('ask'));
  if (count > 0 && !canAskHidden(input.io))
    throw new UsageError('--ask needs a terminal; --share takes files');
  for (let place = 1; place <= count; place += 1) {
    const question = `words of custodian ${place} of ${count}: `;
    const text = await askHidden(input.io, question, MAX_WORDS_LENGTH + 1);
    take(`custodian ${place} of ${count}`, text.trim());
  }
  return { words, shares };
}

function readCount(text: string | undefined): number {
  if (text === undefined) return 0;
  const count = /^[1-9][0-9]?$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MAX_ASKED)) throw new UsageError(`--ask is a number from 1 to ${MAX_ASKED}`);
  return count;
}
