import * as z from 'zod';
import { importKeyRequestSchema } from '../../shared/api/quorum.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { custodianName } from './custodians.ts';
import { RecoveryCeremonyError } from './errors.ts';

const MAX_IMPORT_BYTES = 4096;

const importSchema = z.strictObject({
  format: z.literal('holdfast-key-import/1'),
  /** The key's id in the configuration of the new node. */
  key: custodianName,
  request: importKeyRequestSchema,
});
/** A recovered key, encrypted for one boot of one node, as it is carried there. */
export type KeyImport = z.infer<typeof importSchema>;

/** Writes an import as a file. */
export function formatKeyImport(carried: Omit<KeyImport, 'format'>): string {
  return `${JSON.stringify({ format: 'holdfast-key-import/1', ...carried })}\n`;
}

/** Reads an import. @throws RecoveryCeremonyError KEY_IMPORT_MALFORMED */
export function parseKeyImport(bytes: Uint8Array): KeyImport {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_IMPORT_BYTES, maxDepth: 3 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new RecoveryCeremonyError('KEY_IMPORT_MALFORMED', 'not strict JSON', {}, error);
  }
  const parsed = importSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RecoveryCeremonyError('KEY_IMPORT_MALFORMED', 'not the import of a key');
}
