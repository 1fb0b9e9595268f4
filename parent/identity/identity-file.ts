import { z } from 'zod';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { readForeignFile, writeWhole } from '../common/whole-file.ts';
import { IdentityError } from './errors.ts';
import { type RuntimeIdentity, runtimeIdentitySchema } from './identity.ts';

const MAX_IDENTITY_BYTES = 8 * 1024;

/** Reads the identity that a parent noted; null where there is none. @throws IdentityError IDENTITY_UNREADABLE */
export async function readIdentityFile(path: string): Promise<RuntimeIdentity | null> {
  const bytes = await readForeignFile(path, MAX_IDENTITY_BYTES).catch((error: unknown) => {
    throw new IdentityError(
      'IDENTITY_UNREADABLE',
      'the note of the identity cannot be read',
      { path },
      error,
    );
  });
  if (bytes === undefined) return null;
  try {
    return runtimeIdentitySchema.parse(parseJson(bytes, { maxBytes: MAX_IDENTITY_BYTES, maxDepth: 4 }));
  } catch (error) {
    if (!(error instanceof JsonError || error instanceof z.ZodError)) throw error;
    throw new IdentityError('IDENTITY_UNREADABLE', 'the note of the identity is damaged', { path }, error);
  }
}

/** Notes an identity. */
export async function writeIdentityFile(path: string, identity: RuntimeIdentity): Promise<void> {
  await writeWhole(path, `${JSON.stringify(identity, null, 2)}\n`, 0o644);
}
