import { setTimeout as sleep } from 'node:timers/promises';
import { createHashReader, proveConsistency, verifyConsistency } from '../../audit/log/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { describeBytes, describeEntry, readStatement } from './entries.ts';
import { readIndex } from './export.ts';
import { type LogSource, openLogSource } from './log-source.ts';
import {
  describeCheckpoint,
  openTrusted,
  readTrust,
  TRUST_OPTIONS,
  type TrustedCheckpoint,
} from './trust.ts';
import { assertWithin, readVerifiedEntries } from './verified-entries.ts';
import { checkpointAsData } from './verify.ts';

const DEFAULT_INTERVAL_SECONDS = 5;
/** Entries that are shown when nothing is said. */
const DEFAULT_LAST = 10;

export const tailCommand: Command = {
  name: 'audit tail',
  summary:
    'Print the newest entries of a log in words, and go on as it grows. Each checkpoint must extend the one before, and each entry must be in its tree.',
  positionals: 'LOG',
  options: {
    ...TRUST_OPTIONS,
    from: { type: 'string', value: 'INDEX', description: `first entry (default: the last ${DEFAULT_LAST})` },
    interval: {
      type: 'string',
      value: 'SECONDS',
      description: `how often to look (default: ${DEFAULT_INTERVAL_SECONDS})`,
    },
    once: { type: 'boolean', description: 'print what is there and end' },
    'any-entries': { type: 'boolean', description: 'take entries that are no statements of a node' },
  },
  examples: [
    'holdfast audit tail https://log.example/node1 --origin … --key …',
    'holdfast audit tail ./log --origin … --key … --from 0 --once --json',
  ],
  isStream: true,
  run: runTail,
};

async function runTail(input: CommandInput): Promise<Outcome> {
  const { positionals, flag, json, io } = input;
  const [location = ''] = positionals;
  const trust = readTrust(input);
  const interval = readInterval(input);
  const from = readIndex(input, 'from');
  const source = openLogSource(location, io.signal);
  const print = (event: object, words: string) =>
    io.stdout.write(json ? `${JSON.stringify(event)}\n` : `${words}\n`);
  let known: TrustedCheckpoint | undefined;
  let next = 0;
  const readOn = async (): Promise<TrustedCheckpoint> => {
    const checkpoint = openTrusted(await source.readCheckpoint(), trust);
    if (known === undefined) {
      next = from ?? Math.max(0, checkpoint.size - DEFAULT_LAST);
      assertWithin(checkpoint.size, next);
    } else {
      await assertExtends(known, checkpoint, source);
    }
    for await (const { index, entry } of readVerifiedEntries(source, checkpoint, next, checkpoint.size)) {
      if (flag('any-entries')) {
        print(
          { event: 'entry', index, text: Buffer.from(entry).toString('utf8') },
          describeBytes(index, entry),
        );
      } else {
        const statement = readStatement(index, entry, trust.origin);
        print({ event: 'entry', index, statement }, describeEntry(statement));
      }
      next = index + 1;
    }
    return checkpoint;
  };
  for (;;) {
    try {
      known = await readOn();
      if (flag('once')) break;
      await sleep(interval, undefined, { signal: io.signal });
    } catch (error) {
      // An interruption in the middle of a request ends a tail as one between two does.
      if (!io.signal.aborted || known === undefined) throw error;
      break;
    }
  }
  return { ok: true, text: describeCheckpoint(known), data: checkpointAsData(known, { event: 'end' }) };
}

/** @throws LogError LOG_INCONSISTENT, CONSISTENCY_PROOF_INVALID */
async function assertExtends(
  known: TrustedCheckpoint,
  newer: TrustedCheckpoint,
  source: LogSource,
): Promise<void> {
  assertWithin(newer.size, known.size);
  const readHash = createHashReader(newer.size, source.readTile);
  verifyConsistency(known, newer, await proveConsistency(known.size, newer.size, readHash));
}

/** @returns milliseconds */
function readInterval({ text }: CommandInput): number {
  const seconds = text('interval') ?? String(DEFAULT_INTERVAL_SECONDS);
  if (!/^\d{1,5}(?:\.\d{1,3})?$/.test(seconds) || Number(seconds) === 0)
    throw new UsageError('--interval is a number of seconds above 0');
  return Number(seconds) * 1000;
}
