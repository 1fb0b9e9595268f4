import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { isTreeSize } from '../../audit/log/index.ts';
import { encodeBase64 } from '../../shared/base64.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { createProgress } from '../common/progress.ts';
import { describeSystemError } from '../common/system-error.ts';
import { openLogSource } from './log-source.ts';
import { openTrusted, readTrust, TRUST_OPTIONS } from './trust.ts';
import { assertWithin, readVerifiedEntries } from './verified-entries.ts';

const FORMATS = ['json', 'raw', 'base64'] as const;

export const exportCommand: Command = {
  name: 'audit export',
  summary:
    'Write entries of a log to a file, each proven to be in the tree of its checkpoint: as JSON lines with their index, as they are (one a line), or in base64.',
  positionals: 'LOG',
  options: {
    ...TRUST_OPTIONS,
    output: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'the file to write; never overwritten',
    },
    from: { type: 'string', value: 'INDEX', description: 'first entry (default: 0)' },
    to: { type: 'string', value: 'INDEX', description: 'entry before which it ends (default: all)' },
    format: { type: 'string', value: FORMATS.join('|'), description: 'form of a line (default: json)' },
  },
  examples: [
    'holdfast audit export https://log.example/node1 --origin … --key … --output entries.jsonl',
    'holdfast audit export ./log --origin … --key … --from 1000 --to 2000 --format raw --output part.jsonl',
  ],
  run: runExport,
};

async function runExport(input: CommandInput): Promise<Outcome> {
  const { positionals, text, io } = input;
  const [location = ''] = positionals;
  const trust = readTrust(input);
  const format = FORMATS.find((one) => one === (text('format') ?? 'json'));
  if (format === undefined) throw new UsageError(`--format is ${FORMATS.join(', ')}`);
  const from = readIndex(input, 'from') ?? 0;
  const source = openLogSource(location, io.signal);
  const checkpoint = openTrusted(await source.readCheckpoint(), trust);
  const to = readIndex(input, 'to') ?? checkpoint.size;
  if (from > to) throw new UsageError('--from is above --to');
  assertWithin(checkpoint.size, to);
  const output = text('output') ?? '';
  const file = createWriteStream(output, { flags: 'wx' });
  const progress = createProgress(io, 'exporting');
  try {
    await once(file, 'open');
    for await (const { index, entry } of readVerifiedEntries(source, checkpoint, from, to)) {
      if (!file.write(`${lineOf(format, index, entry)}\n`)) await once(file, 'drain');
      progress.update(index + 1 - from, to - from);
    }
    file.end();
    await once(file, 'close');
  } catch (error) {
    file.destroy();
    if (error instanceof Error && 'syscall' in error)
      throw new UsageError(`cannot write ${output}: ${describeSystemError(error)}`);
    throw error;
  } finally {
    progress.finish();
  }
  const count = to - from;
  return {
    ok: true,
    text: `${count} entries in ${output}`,
    data: { output, from, to, size: checkpoint.size },
  };
}

/** A raw line of a node's log is one line, because its JSON has no line breaks. */
function lineOf(format: (typeof FORMATS)[number], index: number, entry: Uint8Array): string {
  if (format === 'base64') return encodeBase64(entry);
  const words = Buffer.from(entry).toString('utf8');
  return format === 'raw' ? words : JSON.stringify({ index, entry: readJson(words) });
}

/** The value of an entry that is JSON; otherwise its text. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @throws UsageError */
export function readIndex({ text }: CommandInput, option: string): number | undefined {
  const value = text(option);
  if (value === undefined) return undefined;
  if (!isTreeSize(value)) throw new UsageError(`--${option} is the index of an entry, from 0`);
  return Number(value);
}
