import { verifyWholeLog } from '../../audit/log/index.ts';
import { type Command, type CommandInput, type Outcome, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { createProgress } from '../common/progress.ts';
import { readStatement, typeOf } from './entries.ts';
import { openLogSource } from './log-source.ts';
import {
  describeCheckpoint,
  openTrusted,
  readTrust,
  TRUST_OPTIONS,
  type TrustedCheckpoint,
} from './trust.ts';

const MAX_CHECKPOINT_BYTES = 128 * 1024;

export const verifyCommand: Command = {
  name: 'audit verify',
  summary:
    'Verify a whole log, a folder or a URL: signature and cosignatures of its checkpoint, every tile and every entry against its root, that it begins with an earlier checkpoint, that each entry is a statement of a node at the place that it says.',
  positionals: 'LOG',
  options: {
    ...TRUST_OPTIONS,
    since: {
      type: 'string',
      value: 'FILE',
      description: 'an earlier checkpoint, kept: the log must begin with its tree',
    },
    'any-entries': { type: 'boolean', description: 'take entries that are no statements of a node' },
  },
  examples: [
    'holdfast audit verify /var/lib/holdfast/log --origin node1.enclave.example/audit --key node1.enclave.example/audit+3f5a2e59+AefACK…',
    'holdfast audit verify https://log.example/node1 --origin … --key … --witness VKEY1 --witness VKEY2 --threshold 2 --since kept.txt',
  ],
  run: runVerify,
};

async function runVerify(input: CommandInput): Promise<Outcome> {
  const { positionals, text, flag, io } = input;
  const [location = ''] = positionals;
  const trust = readTrust(input);
  const source = openLogSource(location, io.signal);
  const since = text('since');
  const earlierFile = since === undefined ? undefined : await readInput(since, io, MAX_CHECKPOINT_BYTES);
  // Kept by the reader: the witnesses of then may be others than those of now.
  const noWitnesses = { ...trust, witnesses: { keys: [], threshold: 0 } };
  const earlier =
    earlierFile === undefined ? undefined : inFile(since ?? '', () => openTrusted(earlierFile, noWitnesses));
  const checkpoint = openTrusted(await source.readCheckpoint(), trust);
  const counts: Record<string, number> = {};
  const progress = createProgress(io, 'verifying');
  try {
    await verifyWholeLog(
      checkpoint,
      {
        readTile: source.readTile,
        readEntries: source.openEntries(checkpoint.size),
        onEntry(index, entry) {
          const type = flag('any-entries') ? 'entry' : typeOf(readStatement(index, entry, trust.origin));
          counts[type] = (counts[type] ?? 0) + 1;
          progress.update(index + 1, checkpoint.size);
        },
      },
      earlier,
    );
  } finally {
    progress.finish();
  }
  return {
    ok: true,
    text: `verified ${describeCheckpoint(checkpoint)}${describeCounts(counts)}${earlier === undefined ? '' : `\n  begins with the ${earlier.size} entries of ${since}`}`,
    data: checkpointAsData(checkpoint, { entries: counts, since: earlier?.size ?? null }),
  };
}

function describeCounts(counts: Readonly<Record<string, number>>): string {
  const words = Object.entries(counts).map(([type, count]) => `${count} × ${type}`);
  return words.length === 0 ? '' : `\n  ${words.join(', ')}`;
}

/** What `--json` says of a checkpoint. */
export function checkpointAsData(checkpoint: TrustedCheckpoint, more: object = {}): object {
  const { origin, size, root, cosignatures } = checkpoint;
  return {
    origin,
    size,
    root: Buffer.from(root).toString('hex'),
    cosignatures: cosignatures.map(({ witness, time }) => ({ name: witness.name, type: witness.type, time })),
    ...more,
  };
}
