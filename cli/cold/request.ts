import { randomBytes } from 'node:crypto';
import {
  ColdError,
  createColdRequest,
  MAX_REQUEST_AGE_MS,
  openColdIdentity,
  openColdResponse,
} from '../../shared/cold/index.ts';
import { voteRequestSchema } from '../../shared/api/requests.ts';
import { parseEnvelope } from '../../shared/dsse/index.ts';
import { MAX_ACKNOWLEDGEMENT_BYTES, parseAcknowledgement } from '../../shared/recovery/index.ts';
import { parseJson } from '../../shared/json/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { writeCodesPage } from './codes-page.ts';
import { CODES_OPTION } from './input.ts';
import { readIdentifier } from '../node/connection.ts';
import { PAYLOAD_OPTIONS } from '../node/payload.ts';
import { readSignRequest } from '../node/sign-request.ts';

const DAY_MS = 24 * 3_600_000;
const MAX_DAYS = MAX_REQUEST_AGE_MS / DAY_MS;
const REQUEST_ID = /^[0-9a-f]{32}$/;
const NONCE = /^(?:[0-9a-f]{2}){16,64}$/;
const MAX_VOTE_FILE_BYTES = 12 * 1024;
const AS = '--identity identity.json --client treasury --client-key client.pem --output request.json';

export const request: Command = {
  name: 'cold request',
  summary:
    'Make a request for a cold node: to sign, to go on with one that people have approved, or to back a key up.',
  positionals: '[KEY]',
  options: {
    ...PAYLOAD_OPTIONS,
    resume: { type: 'string', value: 'ID', description: 'the request that waits, in place of a payload' },
    vote: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'with --resume: an approval, as `holdfast approve sign --output` writes it',
    },
    backup: {
      type: 'boolean',
      description: 'have KEY encrypted to the recovery key of the manifest, in place of a payload',
    },
    nonce: {
      type: 'string',
      value: 'HEX',
      description: "with --backup: the auditor's (default: a random one)",
    },
    acknowledge: {
      type: 'string',
      value: 'FILE',
      description: "a keeper's word that a backup is kept, as `holdfast ers acknowledge` writes it",
    },
    identity: { type: 'string', value: 'FILE', required: true, description: "the cold node's identity" },
    last: {
      type: 'string',
      value: 'FILE',
      description: "the node's last response: shows the node what it must remember",
    },
    client: { type: 'string', value: 'ID', required: true, description: 'your id in the configuration' },
    'client-key': {
      type: 'string',
      value: 'PEM',
      required: true,
      description: 'your Ed25519 private key (PKCS #8)',
    },
    days: {
      type: 'string',
      value: 'NUMBER',
      description: `how long the request is good for, at most ${MAX_DAYS} (default: 7)`,
    },
    output: { type: 'string', value: 'FILE', required: true, description: 'where the request is written' },
    ...CODES_OPTION,
  },
  examples: [
    `holdfast cold request treasury --kind ethereum-transaction --transaction unsigned.hex --last response.json ${AS}`,
    `holdfast cold request treasury --backup --last response.json ${AS}`,
    `holdfast cold request --acknowledge treasury.acknowledgement --last response.json ${AS}`,
    `holdfast cold request --resume ${'0f'.repeat(16)} --vote alice.vote --vote bob.vote --last response.json ${AS}`,
  ],
  run: async (input) => {
    const { text, io } = input;
    const output = text('output') ?? '';
    await assertWritable(output);
    const identityPath = text('identity') ?? '';
    const identityBytes = await readInput(identityPath, io);
    const identity = inFile(identityPath, () => openColdIdentity(identityBytes));
    const days = readDays(text('days'));
    const client = readIdentifier(text('client'), '--client');
    const ask = await readAsk(input, identity.keys);
    const { privateKey } = await readSigningKey(text('client-key') ?? '');
    const created = Date.now();
    const bytes = createColdRequest(
      {
        manifest: identity.manifest,
        client,
        created,
        notAfter: created + days * DAY_MS,
        checkpoint: await readCheckpoint(input, identity.receiptKey),
        ask,
      },
      privateKey,
    );
    await writeOutput(output, bytes);
    const codes = text('codes');
    if (codes !== undefined) await writeOutput(codes, writeCodesPage('Request to a cold node', bytes));
    const notAfter = new Date(created + days * DAY_MS).toISOString();
    return {
      ok: true,
      text: `the request is in ${output}, good until ${notAfter}`,
      data: { output, notAfter, bytes: bytes.length },
    };
  },
};

function readDays(text = '7'): number {
  const days = /^[0-9]{1,2}$/.test(text) ? Number(text) : 0;
  if (days < 1 || days > MAX_DAYS) throw new UsageError(`--days is a number from 1 to ${MAX_DAYS}`);
  return days;
}

async function readAsk(
  input: CommandInput,
  keys: ReturnType<typeof openColdIdentity>['keys'],
): Promise<Parameters<typeof createColdRequest>[0]['ask']> {
  const waiting = input.text('resume');
  const acknowledgement = input.text('acknowledge');
  const kinds = [waiting !== undefined, acknowledgement !== undefined, input.flag('backup')];
  if (kinds.filter(Boolean).length > 1)
    throw new UsageError('--resume, --backup and --acknowledge exclude each other');
  if (acknowledgement !== undefined) return await readAcknowledgement(input, acknowledgement);
  if (input.flag('backup')) {
    const nonce = input.text('nonce') ?? randomBytes(32).toString('hex');
    if (!NONCE.test(nonce)) throw new UsageError('--nonce is 16 to 64 bytes in lower-case hex');
    return { type: 'backup', key: readIdentifier(input.positionals[0], 'KEY'), nonce };
  }
  if (waiting === undefined) {
    if (input.texts('vote').length > 0) throw new UsageError('--vote goes with --resume');
    const complete = await readSignRequest(input);
    return { type: 'sign', request: await complete(() => Promise.resolve(keys)) };
  }
  if (input.positionals.length > 0) throw new UsageError('--resume takes no KEY: the node knows the request');
  if (!REQUEST_ID.test(waiting)) throw new UsageError('--resume has 32 hex digits');
  const votes = [];
  for (const path of input.texts('vote')) {
    const bytes = await readInput(path, input.io, MAX_VOTE_FILE_BYTES);
    votes.push(inFile(path, () => parseVote(bytes)));
  }
  return { type: 'resume', waiting, votes };
}

async function readAcknowledgement({ io, positionals }: CommandInput, path: string) {
  if (positionals.length > 0) throw new UsageError('--acknowledge takes no KEY: the file names it');
  const bytes = await readInput(path, io, MAX_ACKNOWLEDGEMENT_BYTES);
  const { key } = inFile(path, () =>
    parseAcknowledgement(Buffer.from(parseEnvelope(bytes).payload, 'base64')),
  );
  return { type: 'acknowledge' as const, key, acknowledgement: Buffer.from(bytes).toString('base64') };
}

function parseVote(bytes: Uint8Array) {
  try {
    return voteRequestSchema.parse(parseJson(bytes, { maxBytes: MAX_VOTE_FILE_BYTES, maxDepth: 3 }));
  } catch {
    throw new ColdError(
      'COLD_VOTE_MALFORMED',
      'expected a vote as `holdfast approve sign --output` writes it',
    );
  }
}

async function readCheckpoint({ text, io }: CommandInput, receiptKey: string): Promise<string | null> {
  const path = text('last');
  if (path === undefined) return null;
  const bytes = await readInput(path, io);
  return inFile(path, () => openColdResponse(bytes, receiptKey)).checkpoint;
}
