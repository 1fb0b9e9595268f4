import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Custodian,
  custodianName,
  makeRecoveryKey,
  MAX_SHARES,
  RecoveryCeremonyError,
  writeSharePage,
} from '../../admin/recovery/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';

const MAX_KEY_BYTES = 16 * 1024;

export const keygenCommand: Command = {
  name: 'ers keygen',
  summary:
    'Make a recovery key on an offline machine and split it among custodians; the whole private key is never written.',
  positionals: '',
  options: {
    custodian: {
      type: 'string',
      value: 'NAME[=PEM]',
      multiple: true,
      required: true,
      description: 'who holds a share (repeat): words to be printed, or encrypted to an RSA-4096 public key',
    },
    threshold: { type: 'string', value: 'K', required: true, description: 'how many of them recover' },
    output: { type: 'string', value: 'FOLDER', required: true, description: 'folder to make and write to' },
  },
  examples: [
    'holdfast ers keygen --custodian alice --custodian bob --custodian carol --threshold 2 --output custodians',
    'holdfast ers keygen --custodian alice --custodian hsm=hsm.pem --threshold 2 --output custodians',
  ],
  run: async (input) => {
    const custodians = await readCustodianOptions(input);
    const threshold = readThreshold(input.text('threshold') ?? '', custodians.length);
    const folder = input.text('output') ?? '';
    if (folder === '') throw new UsageError('--output is a folder that does not exist yet');
    const made = makeRecoveryKey(custodians, threshold, { random: randomBytes, now: Date.now() });
    await makeFolder(folder);
    const written: string[] = [];
    for (const share of made.shares) {
      const { custodian, words, ciphertext } = share;
      const path = join(folder, words === null ? `${custodian.name}.share` : `${custodian.name}.html`);
      const content = words === null ? (ciphertext ?? '') : writeSharePage(share, words, made.custodians);
      await writeOutput(path, content, { mode: 0o600, keep: true });
      written.push(path);
    }
    const list = join(folder, 'custodians.json');
    await writeOutput(list, `${JSON.stringify(made.custodians, undefined, 2)}\n`, { keep: true });
    const { publicKey } = made.custodians;
    return {
      ok: true,
      text: [
        `recovery key ${publicKey}: any ${threshold} of ${custodians.length} custodians recover`,
        ...written.map((path) => `  ${path}`),
        `  ${list} is public: it names shares by digests alone`,
        '  next: print the pages here, shred the files, have each custodian verify by "holdfast ers verify"; give the public key to every node admin, for "holdfast vault join --recovery-key" in a vault, else for emergencyRecovery.publicKey of each manifest',
      ].join('\n'),
      data: { publicKey, threshold, custodians: made.custodians.custodians, written, list },
    };
  },
};

async function readCustodianOptions({ texts, io }: CommandInput): Promise<Custodian[]> {
  const custodians: Custodian[] = [];
  for (const given of texts('custodian')) {
    const [name = '', ...rest] = given.split('=');
    if (!custodianName.safeParse(name).success)
      throw new UsageError(
        '--custodian is NAME or NAME=PEM, the name in lower-case letters, digits, dots and hyphens',
      );
    if (custodians.some((one) => one.name === name))
      throw new UsageError(`--custodian ${name} is given twice`);
    const path = rest.join('=');
    custodians.push(rest.length === 0 ? { name } : { name, rsaKey: await readRsaKey(path, name, io) });
  }
  if (custodians.length < 2 || custodians.length > MAX_SHARES)
    throw new UsageError(`--custodian is given 2 to ${MAX_SHARES} times`);
  return custodians;
}

/** @throws RecoveryCeremonyError CUSTODIAN_KEY_INVALID */
async function readRsaKey(path: string, custodian: string, io: CommandInput['io']): Promise<KeyObject> {
  const pem = await readInput(path, io, MAX_KEY_BYTES);
  return inFile(path, () => {
    try {
      return createPublicKey({ key: Buffer.from(pem), format: 'pem' });
    } catch {
      throw new RecoveryCeremonyError('CUSTODIAN_KEY_INVALID', 'expected an RSA public key in PEM', {
        custodian,
      });
    }
  });
}

function readThreshold(text: string, count: number): number {
  const threshold = /^[1-9][0-9]?$/.test(text) ? Number(text) : Number.NaN;
  if (!(threshold >= 2 && threshold <= count))
    throw new UsageError('--threshold is from 2 to the number of custodians');
  return threshold;
}

/** @throws CliError OUTPUT_EXISTS; UsageError */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new CliError('OUTPUT_EXISTS', 'the folder is there already', { path });
    throw new UsageError(`cannot make ${path}: ${code ?? 'unknown error'}`);
  }
}
