import { openColdNode, type ColdNode } from '../../cold/index.ts';
import { joinParts, looksLikeParts } from '../../shared/cold/index.ts';
import { parseColdManifest } from '../../shared/documents/cold-manifest.ts';
import { openConfiguration } from '../../shared/documents/configuration.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { type CommandInput, type Io, type OptionSpec, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { askHidden, canAskHidden } from '../common/hidden-input.ts';
import { inFile } from '../common/in-file.ts';
import { makePrivateFolder } from '../common/private-folder.ts';
import { readKeyFile } from '../common/private-key.ts';

/** As much as a passphrase file holds, in characters. */
const MAX_PASSPHRASE_LENGTH = 4096;

/** Options of verbs that open a cold node. */
export const NODE_OPTIONS = {
  manifest: { type: 'string', value: 'FILE', required: true, description: "the cold node's manifest" },
  configuration: {
    type: 'string',
    value: 'FILE',
    required: true,
    description: 'the signed configuration to decide by',
  },
  'passphrase-file': {
    type: 'string',
    value: 'FILE',
    description: 'the passphrase in a file of its owner alone (default: asked for at the terminal)',
  },
} as const satisfies Record<string, OptionSpec>;

/** Option of verbs that write a message. */
export const CODES_OPTION = {
  codes: { type: 'string', value: 'HTML', description: 'write it as a page of QR codes too' },
} as const satisfies Record<string, OptionSpec>;

/**
 * Reads a message that was carried as a file, or as the lines of its scanned codes.
 *
 * @throws UsageError; CliError; ColdError COLD_PARTS_…
 */
export async function readMessage(path: string, io: Io, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readInput(path, io, maxBytes);
  if (!looksLikeParts(bytes)) return bytes;
  return inFile(path, () => joinParts(Buffer.from(bytes).toString('latin1'), maxBytes));
}

/** Runs `act` with an open node, and closes it. @throws UsageError; CliError; whatever openColdNode throws */
export async function withNode<T>(
  input: CommandInput,
  { isNew }: { readonly isNew: boolean },
  act: (node: ColdNode) => Promise<T>,
): Promise<T> {
  const { text, io } = input;
  const [folder = ''] = input.positionals;
  const manifestPath = text('manifest') ?? '';
  const manifest = await readInput(manifestPath, io);
  const configurationPath = text('configuration') ?? '';
  const configuration = await readInput(configurationPath, io);
  // Nobody types a passphrase for files that are refused afterwards.
  const parsed = inFile(manifestPath, () => parseColdManifest(manifest));
  inFile(configurationPath, () =>
    openConfiguration(configuration, { manifest: parsed, digest: digestManifest(manifest) }),
  );
  const passphrase = await readPassphrase(text('passphrase-file'), io, isNew);
  try {
    if (isNew) await makePrivateFolder(folder);
    const node = await openColdNode({ folder, manifest, configuration, passphrase, now: Date.now, isNew });
    try {
      return await act(node);
    } finally {
      await node.close();
    }
  } finally {
    passphrase.fill(0);
  }
}

/** Reads the passphrase, twice where a node is made with it. The caller clears it. */
async function readPassphrase(path: string | undefined, io: Io, isNew: boolean): Promise<Buffer> {
  if (path !== undefined) return trimLineFeed(await readKeyFile(path));
  if (!canAskHidden(io))
    throw new UsageError('without a terminal, --passphrase-file names the file of the passphrase');
  const ask = async (question: string) => Buffer.from(await askHidden(io, question, MAX_PASSPHRASE_LENGTH));
  const first = await ask('Passphrase of the node: ');
  if (!isNew) return first;
  const second = await ask('Once more: ');
  const isSame = first.equals(second);
  second.fill(0);
  if (isSame) return first;
  first.fill(0);
  throw new CliError('DECLINED', 'the passphrases differ; nothing was made');
}

function trimLineFeed(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  return bytes.subarray(0, end);
}
