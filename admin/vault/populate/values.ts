import * as z from 'zod';
import { VaultError } from '../errors.ts';
import { findSecret } from '../secrets-inside.ts';
import { parseYaml } from '../yaml.ts';
import { findEntry, type PartitionDescription } from './catalogue.ts';
import { PopulateError } from './errors.ts';

export const VALUES_FORMAT = 'holdfast-populate/1';
/** Largest file of sources, in bytes. */
export const MAX_VALUES_BYTES = 64 * 1024;
const MAX_ARGUMENTS = 64;
const MAX_SECONDS = 600;
const DEFAULT_SECONDS = 60;

const path = z.string().min(1).max(4096);
const argument = z
  .string()
  .max(4096)
  .refine((text) => !text.includes('\0'), { error: 'expected text without NUL' });

const sourceSchema = z.union(
  [
    z.strictObject({ generate: z.literal(true) }),
    z.strictObject({ file: path }),
    z.strictObject({ environment: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/) }),
    z.strictObject({
      /** Program and arguments, started as they are: no shell reads them. */
      command: z.array(argument).min(1).max(MAX_ARGUMENTS),
      timeoutSeconds: z.int().min(1).max(MAX_SECONDS).default(DEFAULT_SECONDS),
      /** True where the program writes to its standard error although all is well. */
      allowStderr: z.boolean().default(false),
    }),
  ],
  { error: 'expected one of generate, file, environment and command' },
);

/** Where a value comes from; never the value. */
export type ValueSource = z.output<typeof sourceSchema>;

const valuesSchema = z.strictObject({
  format: z.literal(VALUES_FORMAT),
  partition: z.string(),
  values: z.record(z.string(), sourceSchema),
});

/**
 * Parses a file of sources: for each secret of a partition, where its value comes from.
 * @throws PopulateError POPULATE_VALUES_MALFORMED, POPULATE_NAME_UNKNOWN
 */
export function parseValues(
  bytes: Uint8Array,
  description: PartitionDescription,
): ReadonlyMap<string, ValueSource> {
  const text = decode(bytes);
  const secret = findSecret(text);
  if (secret !== undefined) {
    throw malformed(`a secret has no place in the file, and there is ${secret.what}`, { line: secret.line });
  }
  const result = valuesSchema.safeParse(readYaml(text));
  if (!result.success) {
    const fields = result.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${[...issue.path, issue.keys[0]].join('.')}: unknown field`
        : `${issue.path.join('.')}: ${issue.message}`,
    );
    throw malformed('fields are missing, unknown or malformed', { fields });
  }
  const { partition, values } = result.data;
  if (partition !== description.partition) {
    throw malformed('the file is of another partition', { expected: description.partition, partition });
  }
  for (const [name, source] of Object.entries(values)) {
    const { kind } = findEntry(description, name);
    if (kind === 'given' && 'generate' in source) {
      throw malformed('a value that is given cannot be generated', { name });
    }
  }
  return new Map(Object.entries(values));
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > MAX_VALUES_BYTES)
    throw malformed('longer than its maximum', { maximum: MAX_VALUES_BYTES });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('not UTF-8');
  }
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text).value;
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    throw malformed('not one document of plain YAML 1.2', error.details);
  }
}

function malformed(problem: string, details: Readonly<Record<string, unknown>> = {}): PopulateError {
  return new PopulateError('POPULATE_VALUES_MALFORMED', `the file of sources is refused: ${problem}`, {
    ...details,
  });
}
