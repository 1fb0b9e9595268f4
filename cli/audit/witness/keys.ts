import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { KEY_TYPES, type KeyType, type SigningKey } from '../../../audit/log/index.ts';
import { signingKeyFromSeed } from '../../../audit/log/node-signatures.ts';
import { decodeBase64, encodeBase64 } from '../../../shared/base64.ts';
import { CliError } from '../../common/errors.ts';
import { UsageError } from '../../common/usage-error.ts';
import { writeOutput } from '../../common/output-file.ts';
import { WitnessStateError } from './errors.ts';

/** Files of a witness's keys in its folder, the form of x/mod's sumdb/note: other witness programs read them too. */
export const KEY_FILES = [
  { file: 'ed25519.key', type: 'cosignature-ed25519' },
  { file: 'ml-dsa-44.key', type: 'cosignature-ml-dsa-44' },
] as const satisfies readonly { file: string; type: KeyType }[];
const MAX_KEY_FILE_BYTES = 1024;
/** Mode bits that let group or others read or write. */
const EXPOSED = 0o066;

/**
 * Makes the keys of a new witness.
 *
 * @throws WitnessStateError WITNESS_STATE_EXISTS when the folder has one of the files
 */
export async function generateKeys(folder: string, name: string): Promise<readonly SigningKey[]> {
  const keys: SigningKey[] = [];
  for (const { file, type } of KEY_FILES) {
    const seed = randomBytes(32);
    const signingKey = signingKeyFromSeed(name, type, seed);
    const written = await writeOutput(join(folder, file), formatKeyFile(signingKey, seed), {
      mode: 0o600,
      keep: true,
    });
    seed.fill(0);
    if (!written)
      throw new WitnessStateError('WITNESS_STATE_EXISTS', 'a key is there already', {
        path: join(folder, file),
      });
    keys.push(signingKey);
  }
  return keys;
}

function formatKeyFile({ key }: SigningKey, seed: Uint8Array): string {
  const id = key.id.toString(16).padStart(8, '0');
  return `PRIVATE+KEY+${key.name}+${id}+${encodeBase64(Buffer.concat([Buffer.of(KEY_TYPES[key.type].byte), seed]))}\n`;
}

/**
 * Reads the keys of a witness.
 *
 * @throws UsageError, CliError KEY_FILE_EXPOSED, WitnessStateError WITNESS_KEY_MALFORMED
 */
export async function readKeys(folder: string): Promise<readonly SigningKey[]> {
  return Promise.all(KEY_FILES.map(({ file, type }) => readKey(join(folder, file), type)));
}

async function readKey(path: string, type: KeyType): Promise<SigningKey> {
  const text = await readKeyFile(path);
  const [, name = '', id, encoded = ''] = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+(\S+)\n?$/.exec(text) ?? [];
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 33 || bytes[0] !== KEY_TYPES[type].byte) throw malformed(path);
  const signingKey = signingKeyFromSeed(name, type, bytes.subarray(1));
  bytes.fill(0);
  if (signingKey.key.id.toString(16).padStart(8, '0') !== id) throw malformed(path);
  return signingKey;
}

async function readKeyFile(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const stat = await file.stat();
    if ((stat.mode & EXPOSED) !== 0)
      throw new CliError('KEY_FILE_EXPOSED', 'others may read or write the key; "chmod 600" mends that', {
        path,
      });
    if (!stat.isFile() || stat.size > MAX_KEY_FILE_BYTES) throw malformed(path);
    return await file.readFile('utf8');
  } catch (error) {
    if (error instanceof CliError || error instanceof WitnessStateError) throw error;
    throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}

function malformed(path: string): WitnessStateError {
  return new WitnessStateError('WITNESS_KEY_MALFORMED', 'expected one line, PRIVATE+KEY+name+id+key', {
    path,
  });
}
