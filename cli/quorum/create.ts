import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  describeSharedFaults,
  planQuorum,
  type PlannedImage,
  type PlannedNode,
} from '../../admin/quorum/index.ts';
import { quorumSchema } from '../../shared/documents/configuration/quorum.ts';
import { verifierKeySchema } from '../../shared/documents/configuration/witnesses.ts';
import { type Command, type CommandInput, UsageError } from '../common/command.ts';
import { readManifestFile } from '../common/manifest-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { describeSystemError } from '../common/system-error.ts';
import { readPcrFile } from '../common/trust-files.ts';

const MAX_REFRESH_HOURS = 24 * 366;

export const createCommand: Command = {
  name: 'quorum create',
  summary:
    'Write what the configuration of each node of a quorum says of the others: the "quorum" member, from manifests and pcr.json.',
  positionals: '',
  options: {
    manifest: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      required: true,
      description: 'the manifest of a node; give that of every node',
    },
    pcrs: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      required: true,
      description: 'pcr.json of an image that nodes may run; of one node alone where it names a PCR16',
    },
    'old-pcrs': {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'pcr.json of an image that nodes may still run until --old-until, during an upgrade',
    },
    'old-until': {
      type: 'string',
      value: 'TIME',
      description: 'the end of that, RFC 3339 in UTC: 2027-01-31T00:00:00Z',
    },
    'serves-alone': {
      type: 'string',
      value: 'KEY',
      multiple: true,
      description: 'a key that a node holds whole and serves even where too few nodes are reachable',
    },
    'refresh-hours': {
      type: 'string',
      value: 'HOURS',
      description: 'hours after which shares are refreshed (default: on demand alone)',
    },
    'log-key': {
      type: 'string',
      value: 'VKEY',
      multiple: true,
      description:
        'the log key that "node attest" prints of a node, whose log the others cosign; give that of every node',
    },
    'witness-key': {
      type: 'string',
      value: 'VKEY',
      multiple: true,
      description: 'the witness key that it prints; give that of every node',
    },
    'witness-threshold': {
      type: 'string',
      value: 'COUNT',
      description: 'how many of the others must cosign what leaves a node (default: none has to)',
    },
    'max-uncosigned': {
      type: 'string',
      value: 'SECONDS',
      description: 'for how long a node signs on while fewer do, once it serves (default: 0)',
    },
    output: {
      type: 'string',
      value: 'FOLDER',
      description: 'write node-1.quorum.json and so on there (default: print them)',
    },
  },
  examples: [
    'holdfast quorum create --manifest node-1.json --manifest node-2.json --manifest node-3.json --pcrs pcr.json',
    'holdfast quorum create --manifest node-1.json --manifest node-2.json --manifest node-3.json --pcrs new.json \\',
    '      --old-pcrs pcr.json --old-until 2027-01-31T00:00:00Z --refresh-hours 168 --output quorum',
  ],
  run: async (input) => {
    const { texts, text, io } = input;
    const manifests = [];
    for (const path of texts('manifest')) manifests.push(await readManifestFile(path, io));
    const images = await readImages(input);
    const servesAlone = texts('serves-alone');
    const refreshHours = readHours(text('refresh-hours'));
    const keys = [...texts('log-key'), ...texts('witness-key')];
    assertVerifierKeys(keys);
    const witnesses = readWitnesses(input);
    const nodes = planQuorum(manifests, images, {
      servesAlone,
      refreshHours,
      keys,
      ...(witnesses === undefined ? {} : { witnesses }),
    });
    for (const { quorum } of nodes) {
      const parsed = quorumSchema.safeParse(quorum);
      if (!parsed.success) throw new UsageError(describeIssue(parsed.error.issues[0]));
    }
    const warnings = describeSharedFaults(manifests);
    const folder = text('output');
    const files = folder === undefined ? [] : await writeFiles(folder, nodes);
    const lines = folder === undefined ? nodes.map(formatNode) : files.map((file) => file);
    return {
      ok: true,
      text: [...lines, ...warnings.map((warning) => `note: ${warning}`)].join('\n'),
      data: { nodes, warnings, ...(folder === undefined ? {} : { files }) },
    };
  },
};

async function readImages({ texts, text, io }: CommandInput): Promise<readonly PlannedImage[]> {
  const old = texts('old-pcrs');
  const until = text('old-until');
  if ((until === undefined) !== (old.length === 0))
    throw new UsageError('--old-pcrs and --old-until go together');
  if (until !== undefined && !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(until))
    throw new UsageError('--old-until is a time like 2027-01-31T00:00:00Z');
  const images: PlannedImage[] = [];
  for (const path of texts('pcrs')) images.push({ pcrs: await readPcrFile(path, io), notAfter: null });
  for (const path of old) images.push({ pcrs: await readPcrFile(path, io), notAfter: until ?? null });
  return images;
}

function readHours(text: string | undefined): number | null {
  if (text === undefined) return null;
  const hours = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(hours <= MAX_REFRESH_HOURS))
    throw new UsageError(`--refresh-hours is a number from 1 to ${MAX_REFRESH_HOURS}`);
  return hours;
}

function assertVerifierKeys(keys: readonly string[]): void {
  if (keys.every((key) => verifierKeySchema.safeParse(key).success)) return;
  throw new UsageError('--log-key and --witness-key are verifier keys, as "node attest" prints them');
}

function readWitnesses({ texts, text }: CommandInput): PlannedNode['quorum']['witnesses'] {
  const [threshold, seconds] = [text('witness-threshold'), text('max-uncosigned')];
  if (threshold === undefined && seconds === undefined) return undefined;
  if (threshold === undefined || texts('witness-key').length === 0)
    throw new UsageError('--max-uncosigned needs --witness-threshold, and that --log-key and --witness-key');
  return {
    threshold: readCount('--witness-threshold', threshold),
    maxUncosignedSeconds: readCount('--max-uncosigned', seconds ?? '0'),
  };
}

function readCount(option: string, text: string): number {
  if (!/^(0|[1-9][0-9]{0,4})$/.test(text)) throw new UsageError(`${option} is a number`);
  return Number(text);
}

function describeIssue(
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
) {
  const [member, field] = issue?.path ?? [];
  const option =
    member === 'servesAlone'
      ? '--serves-alone'
      : field === 'maxUncosignedSeconds'
        ? '--max-uncosigned'
        : member === 'witnesses'
          ? '--witness-threshold'
          : '--pcrs, --old-pcrs, --old-until, --log-key or --witness-key';
  return `${option} is nothing that a configuration can have: ${issue?.message ?? ''}`;
}

async function writeFiles(folder: string, nodes: readonly PlannedNode[]): Promise<readonly string[]> {
  if (folder === '') throw new UsageError('--output is a folder');
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`cannot write ${folder}: ${describeSystemError(error)}`);
  }
  const files: string[] = [];
  for (const { node, quorum } of nodes) {
    const path = join(folder, `node-${node}.quorum.json`);
    await writeOutput(path, `${JSON.stringify({ quorum }, null, 2)}\n`);
    files.push(path);
  }
  return files;
}

function formatNode({ node, manifest, quorum }: PlannedNode): string {
  return `node ${node}, manifest ${manifest.slice(0, 16)}…:\n${JSON.stringify({ quorum }, null, 2)}`;
}
