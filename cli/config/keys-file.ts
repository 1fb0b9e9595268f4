import * as z from 'zod';
import type { PublicKeys } from '../../policy/analysis/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { type Io, readInput } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';

const MAX_KEYS_BYTES = 1024 * 1024;

/** What `node keys --json` prints, as far as it is needed. */
const keysSchema = z.object({
  keys: z
    .array(
      z.object({
        id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
        publicKey: z
          .string()
          .regex(/^(?:[0-9a-f]{2}){32,33}$/)
          .nullable(),
      }),
    )
    .max(1024),
});

export const KEYS = {
  type: 'string',
  value: 'FILE',
  description: 'public keys of keys that the configuration does not pin: what "node keys --json" printed',
} as const;

/** Reads public keys; none where no file is named. @throws CliError KEYS_FILE_MALFORMED */
export async function readKeysFile(path: string | undefined, io: Io): Promise<PublicKeys> {
  if (path === undefined) return new Map();
  const bytes = await readInput(path, io, MAX_KEYS_BYTES);
  const parsed = inFile(path, () => keysSchema.safeParse(parseKeys(bytes)));
  if (!parsed.success) return inFile(path, () => refuse(parsed.error.issues[0]?.path.join('.')));
  return new Map(
    parsed.data.keys.flatMap(({ id, publicKey }) => (publicKey === null ? [] : [[id, publicKey] as const])),
  );
}

function parseKeys(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, { maxBytes: MAX_KEYS_BYTES, maxDepth: 8 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new CliError('KEYS_FILE_MALFORMED', 'the file of public keys is not JSON', {}, error);
  }
}

function refuse(field: string | undefined): never {
  throw new CliError('KEYS_FILE_MALFORMED', 'not what "holdfast node keys --json" prints', { field });
}
