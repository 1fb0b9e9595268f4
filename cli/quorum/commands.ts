import { childPathSchema } from '../../shared/api/child-path.ts';
import { ceremonyIdSchema } from '../../shared/api/quorum.ts';
import { parseKeyImport } from '../../admin/recovery/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readIdentifier } from '../node/connection.ts';
import { describeSigned, readSignRequest } from '../node/sign-request.ts';
import { PAYLOAD_OPTIONS } from '../node/payload.ts';
import {
  beginCeremonies,
  beginCeremony,
  CEREMONY_OPTIONS,
  DETACH_OPTION,
  readTimeout,
  waitForCeremony,
} from './ceremony.ts';
import { QUORUM_OPTIONS, withQuorum } from './connection.ts';
import { createCommand } from './create.ts';
import { describeKeys, describeStatus } from './status.ts';
import { transcriptVerifyCommand } from './transcript/verify.ts';

const AS_CLIENT =
  '--url https://127.0.0.1:8443 --pcrs pcr.json --manifest manifest.json --client wallet-backend --key client.pem';
const BEGIN_OPTIONS = { ...QUORUM_OPTIONS, ...CEREMONY_OPTIONS, ...DETACH_OPTION };

const keysList: Command = {
  name: 'quorum keys list',
  summary: 'List the keys that the nodes of a quorum share: epoch, nodes, threshold and public key.',
  positionals: '',
  options: QUORUM_OPTIONS,
  examples: [`holdfast quorum keys list ${AS_CLIENT}`],
  run: (input) =>
    withQuorum(input, async (quorum) => {
      const { keys } = await quorum.status();
      return { ok: true, text: describeKeys(keys), data: { keys } };
    }),
};

const keysGenerate: Command = {
  name: 'quorum keys generate',
  summary: 'Have the nodes of a quorum generate a key that no place ever holds whole.',
  positionals: 'KEY...',
  options: BEGIN_OPTIONS,
  examples: [`holdfast quorum keys generate treasury ${AS_CLIENT}`],
  run: beginCeremonies(({ positionals }) => {
    const keys = positionals.map((name) => readIdentifier(name, 'KEY'));
    return Promise.resolve(keys.map((key) => (quorum) => quorum.generate(key)));
  }),
};

/** The longest file of an import in bytes. */
const MAX_IMPORT_BYTES = 4096;

const keysImport: Command = {
  name: 'quorum keys import',
  summary: 'Have a node split a recovered key, which was encrypted for this boot of it, among its quorum.',
  positionals: 'FILE...',
  options: BEGIN_OPTIONS,
  examples: [`holdfast quorum keys import treasury.import ${AS_CLIENT}`],
  run: beginCeremonies(async ({ positionals, io }) => {
    const imports: ReturnType<typeof parseKeyImport>[] = [];
    for (const path of positionals) {
      const bytes = await readInput(path, io, MAX_IMPORT_BYTES);
      imports.push(inFile(path, () => parseKeyImport(bytes)));
    }
    return imports.map(
      ({ key, request }) =>
        (quorum) =>
          quorum.importKey(key, () => request),
    );
  }),
};

const sign: Command = {
  name: 'quorum sign',
  summary:
    'Have a quorum sign: the node that is asked has the others decide for themselves, and sign with it.',
  positionals: 'KEY',
  options: {
    ...QUORUM_OPTIONS,
    ...PAYLOAD_OPTIONS,
    path: {
      type: 'string',
      value: 'PATH',
      description: 'indices from a taproot key to the child that signs (BIP-32, unhardened): 0/5',
    },
  },
  examples: [
    `holdfast quorum sign treasury --message 61207472616e73666572 ${AS_CLIENT}`,
    `holdfast quorum sign treasury --message-file transfer.bin --node node-2/holdfast.yaml ${AS_CLIENT}`,
  ],
  run: async (input) => {
    const path = readPath(input.text('path'));
    const complete = await readSignRequest(input);
    return await withQuorum(input, async (quorum) => {
      const request = { ...(await complete(() => quorum.keys())), ...(path !== undefined && { path }) };
      const response = await quorum.sign(request);
      const { key, algorithm } = request;
      return {
        ok: true,
        text: describeSigned(response),
        data: { key, algorithm, ...(path !== undefined && { path }), ...response },
      };
    });
  },
};

const refresh: Command = {
  name: 'quorum refresh',
  summary:
    'Have the nodes make new shares of the same key for themselves; old shares are of no use afterwards.',
  positionals: 'KEY',
  options: BEGIN_OPTIONS,
  examples: [`holdfast quorum refresh treasury ${AS_CLIENT}`],
  run: beginCeremony((input) => {
    const key = readKey(input);
    return (quorum) => quorum.refresh(key);
  }),
};

const reshare: Command = {
  name: 'quorum reshare',
  summary: 'Have the nodes hand a key to other nodes, or change how many of them sign. The public key stays.',
  positionals: 'KEY',
  options: {
    ...BEGIN_OPTIONS,
    to: {
      type: 'string',
      value: 'NODES',
      required: true,
      description: 'numbers of the nodes that hold shares afterwards: 1,2,4',
    },
    threshold: { type: 'string', value: 'T', required: true, description: 'how many of them sign' },
  },
  examples: [`holdfast quorum reshare treasury --to 1,2,4 --threshold 2 ${AS_CLIENT}`],
  run: beginCeremony((input) => {
    const key = readKey(input);
    const participants = readNodes(input.text('to'));
    const threshold = readThreshold(input.text('threshold'));
    if (threshold > participants.length)
      throw new UsageError('--threshold is at most the number of nodes in --to');
    return (quorum) => quorum.reshare(key, { participants, threshold });
  }),
};

const repair: Command = {
  name: 'quorum repair',
  summary: 'Have the nodes make the lost share of one of them again, without the others learning it.',
  positionals: 'KEY',
  options: {
    ...BEGIN_OPTIONS,
    lost: {
      type: 'string',
      value: 'NODE',
      required: true,
      description: 'number of the node whose share is lost',
    },
  },
  examples: [`holdfast quorum repair treasury --lost 3 ${AS_CLIENT}`],
  run: beginCeremony((input) => {
    const key = readKey(input);
    const node = readNumber(input.text('lost'), '--lost');
    return (quorum) => quorum.repair(key, node);
  }),
};

const wait: Command = {
  name: 'quorum wait',
  summary: 'Wait for a ceremony that was begun before, and show its progress.',
  positionals: 'ID',
  options: { ...QUORUM_OPTIONS, ...CEREMONY_OPTIONS },
  examples: [`holdfast quorum wait ${'5e'.repeat(16)} ${AS_CLIENT}`],
  run: (input) => {
    const [id = ''] = input.positionals;
    if (!ceremonyIdSchema.safeParse(id).success) throw new UsageError('ID is 32 hex digits in lower case');
    const seconds = readTimeout(input.text('timeout'));
    return withQuorum(input, (quorum) => waitForCeremony(quorum, { id }, seconds, input));
  },
};

const status: Command = {
  name: 'quorum status',
  summary: 'Say how a node sees its quorum: the other nodes, the keys, and what is under way.',
  positionals: '',
  options: QUORUM_OPTIONS,
  examples: [`holdfast quorum status ${AS_CLIENT}`],
  run: (input) =>
    withQuorum(input, async (quorum) => {
      const [found, ceremonies] = await quorum.withNode(
        (node) => Promise.all([node.quorum.status(), node.quorum.ceremonies()]),
        { isRepeatable: true },
      );
      return { ok: true, text: describeStatus(found, ceremonies), data: { quorum: found, ceremonies } };
    }),
};

const transcriptGet: Command = {
  name: 'quorum transcript get',
  summary: 'Get the transcript of the ceremony that made an epoch of a key, to be verified offline.',
  positionals: 'KEY',
  options: {
    ...QUORUM_OPTIONS,
    epoch: { type: 'string', value: 'N', description: 'the epoch (default: the one in force)' },
    output: { type: 'string', value: 'FILE', required: true, description: 'write it there' },
  },
  examples: [`holdfast quorum transcript get treasury --epoch 2 --output treasury-2.transcript ${AS_CLIENT}`],
  run: async (input) => {
    const key = readKey(input);
    const given = input.text('epoch');
    const named = given === undefined ? undefined : readEpoch(given);
    const output = input.text('output') ?? '';
    return await withQuorum(input, async (quorum) => {
      const epoch = named ?? (await quorum.status()).keys.find(({ id }) => id === key)?.share?.epoch;
      if (epoch === undefined) throw new UsageError(`--epoch is needed: the node has no share of ${key}`);
      const transcript = await quorum.transcript(key, epoch);
      await writeOutput(output, transcript);
      return {
        ok: true,
        text: `${output}: epoch ${epoch} of ${key}, ${transcript.length} bytes, not verified\n  next: holdfast quorum transcript verify ${output}`,
        data: { key, epoch, output, bytes: transcript.length },
      };
    });
  },
};

export const commands: readonly Command[] = [
  createCommand,
  keysList,
  keysGenerate,
  keysImport,
  sign,
  refresh,
  reshare,
  repair,
  wait,
  status,
  transcriptGet,
  transcriptVerifyCommand,
];

const readKey = ({ positionals: [key] }: CommandInput) => readIdentifier(key, 'KEY');

function readNumber(text: string | undefined, option: string): number {
  const node = /^[1-9][0-9]{0,2}$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(node <= 255)) throw new UsageError(`${option} is the number of a node, from 1 to 255`);
  return node;
}

/** Reads numbers of nodes with commas between them, in any order. */
function readNodes(text: string | undefined): number[] {
  const nodes = (text ?? '').split(',').map((word) => readNumber(word, '--to'));
  if (nodes.length < 2 || new Set(nodes).size !== nodes.length)
    throw new UsageError('--to names two nodes at least, each once');
  return nodes.toSorted((a, b) => a - b);
}

function readThreshold(text: string | undefined): number {
  const threshold = /^[1-9][0-9]?$/.test(text ?? '') ? Number(text) : Number.NaN;
  if (!(threshold >= 2)) throw new UsageError('--threshold is a number from 2 on');
  return threshold;
}

function readEpoch(text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(text)) throw new UsageError('--epoch is a whole number');
  return Number(text);
}

function readPath(text: string | undefined): string | undefined {
  if (text === undefined || childPathSchema.safeParse(text).success) return text;
  throw new UsageError('--path is up to 8 unhardened indices, each below 2147483648: 0/5');
}
