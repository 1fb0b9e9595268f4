import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type CatalogueEntry, PopulateError, type ValueSource } from '../../../admin/vault/populate/index.ts';
import { runPasswordCommand } from './password-command.ts';

export interface SourceOptions {
  /** Folder that relative paths start from, and that commands run in. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Longest value, as AWS Secrets Manager takes it. */
const MAX_VALUE_BYTES = 65_536;
/** Mode bits that let group or others read or write. */
const EXPOSED = 0o066;

/**
 * Reads the values of secrets from their sources; those that are generated have none. Whoever gets them clears them.
 * @throws PopulateError POPULATE_SOURCE_EXPOSED, POPULATE_SOURCE_FAILED
 */
export async function readSources(
  entries: readonly CatalogueEntry[],
  sources: ReadonlyMap<string, ValueSource>,
  options: SourceOptions,
): Promise<ReadonlyMap<string, Buffer>> {
  const values = new Map<string, Buffer>();
  try {
    for (const entry of entries) {
      const source = sources.get(entry.name);
      if (source === undefined || 'generate' in source) continue;
      const value = await readValue(entry, source, options);
      const length = entry.form === 'text' ? lengthWithoutLineEnd(value) : value.length;
      if (length === 0) throw failed(entry, 'it is empty');
      values.set(entry.name, value.subarray(0, length));
    }
    return values;
  } catch (error) {
    for (const value of values.values()) value.fill(0);
    throw error;
  }
}

async function readValue(
  entry: CatalogueEntry,
  source: Exclude<ValueSource, { generate: true }>,
  { folder, environment, signal }: SourceOptions,
): Promise<Buffer> {
  if ('file' in source) return await readSecretFile(entry, resolve(folder, source.file));
  if ('environment' in source) {
    const text = environment[source.environment];
    if (text === undefined) throw failed(entry, `the variable ${source.environment} is not set`);
    return Buffer.from(text, 'utf8');
  }
  const output = await runPasswordCommand({ ...source, folder, environment, signal });
  if ('value' in output) return output.value;
  const { problem, ...details } = output;
  // The program alone is named: an argument may say where a secret lies.
  throw failed(entry, problem, { program: source.command[0], ...details });
}

async function readSecretFile(entry: CatalogueEntry, path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    const { mode, size } = await file.stat();
    if (entry.form === 'text' && (mode & EXPOSED) !== 0) {
      throw new PopulateError(
        'POPULATE_SOURCE_EXPOSED',
        'others may read or write the file; "chmod 600" mends that',
        {
          name: entry.name,
          path,
          mode: (mode & 0o777).toString(8).padStart(4, '0'),
        },
      );
    }
    if (size > MAX_VALUE_BYTES)
      throw failed(entry, 'the file is too long', { path, maximum: MAX_VALUE_BYTES });
    const buffer = Buffer.alloc(MAX_VALUE_BYTES + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    if (bytesRead > MAX_VALUE_BYTES) throw failed(entry, 'the file is too long', { path });
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if (error instanceof PopulateError) throw error;
    throw failed(
      entry,
      `the file cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`,
      { path },
    );
  }
}

function lengthWithoutLineEnd(value: Buffer): number {
  if (value.at(-1) !== 10) return value.length;
  return value.at(-2) === 13 ? value.length - 2 : value.length - 1;
}

function failed(
  { name }: CatalogueEntry,
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
): PopulateError {
  return new PopulateError('POPULATE_SOURCE_FAILED', `the source of ${name} gave no value`, {
    name,
    problem,
    ...details,
  });
}
