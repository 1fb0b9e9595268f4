import { parseDocument, YAMLParseError } from 'yaml';
import * as z from 'zod';
import { SignatoryError } from './errors.ts';
import { WATERMARK_DRIVERS, VAULT_DRIVERS } from './drivers.ts';
import { type FieldPath, printPath } from './fields.ts';

/** Longest configuration, in bytes. */
const MAX_SIGNATORY_BYTES = 256 * 1024;
/** The most values of one configuration: each field has a line in the report. */
const MAX_VALUES = 16_384;
const MAX_DEPTH = 16;

const scalar = z.union([z.string(), z.number(), z.boolean()]);

/** One key, or a list of keys and of such lists. */
export type AuthorizedKeys = string | readonly AuthorizedKeys[];
const authorizedKeysSchema: z.ZodType<AuthorizedKeys> = z.lazy(() =>
  z.union([z.string(), z.array(authorizedKeysSchema)]),
);

const policySchema = z.strictObject({
  allow: z.record(z.string(), z.array(z.string()).nullish()).nullish(),
  allowed_operations: z.array(z.string()).nullish(),
  allowed_kinds: z.array(z.string()).nullish(),
  allowed_chains: z.array(z.string()).nullish(),
  allow_proof_of_possession: z.boolean().nullish(),
  log_payloads: z.boolean().nullish(),
  authorized_keys: authorizedKeysSchema.nullish(),
  jwt_users: z.array(scalar).nullish(),
});
export type SignatoryPolicy = z.infer<typeof policySchema>;

const userSchema: z.ZodType = z.lazy(() =>
  z.strictObject({
    password: scalar.nullish(),
    secret: scalar.nullish(),
    jwt_exp: scalar.nullish(),
    old_cred_exp: scalar.nullish(),
    new_data: userSchema.nullish(),
  }),
);

const driven = z.strictObject({ driver: z.string(), config: z.unknown().optional() });

const documentSchema = z.strictObject({
  server: z
    .strictObject({
      address: z.string().nullish(),
      utility_address: z.string().nullish(),
      authorized_keys: authorizedKeysSchema.nullish(),
      jwt: z.strictObject({ users: z.record(z.string(), userSchema.nullish()).nullish() }).nullish(),
    })
    .nullish(),
  vaults: z.record(z.string(), driven).nullish(),
  tezos: z.record(z.string(), policySchema.nullable()).nullish(),
  policy_hook: z
    .strictObject({ address: z.string().nullish(), authorized_keys: authorizedKeysSchema.nullish() })
    .nullish(),
  base_dir: z.string().nullish(),
  watermark: driven.nullish(),
});
/** Configuration of Signatory as its file has it: of known fields alone, whose values are not read yet. */
export type SignatoryDocument = z.infer<typeof documentSchema>;

/**
 * Reads Signatory's configuration. A field that Signatory would ignore is an error here, and so is a driver that it would
 * start without.
 *
 * @throws SignatoryError SIGNATORY_NOT_YAML, SIGNATORY_UNKNOWN_FIELD, SIGNATORY_MALFORMED
 */
export function readSignatoryDocument(bytes: Uint8Array): SignatoryDocument {
  const value = parseYaml(bytes);
  const read = documentSchema.safeParse(value);
  if (!read.success) throw describe(read.error.issues, []);
  const { vaults, watermark } = read.data;
  for (const [name, vault] of Object.entries(vaults ?? {})) {
    assertDriver(vault, VAULT_DRIVERS, ['vaults', name]);
  }
  if (watermark) assertDriver(watermark, WATERMARK_DRIVERS, ['watermark']);
  return read.data;
}

function parseYaml(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_SIGNATORY_BYTES) {
    throw new SignatoryError('SIGNATORY_NOT_YAML', 'the configuration is too long', {
      maximum: MAX_SIGNATORY_BYTES,
    });
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const document = parseDocument(text, { strict: true, uniqueKeys: true, logLevel: 'error' });
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value = document.toJS({ maxAliasCount: 0 }) as unknown;
    assertSize(value);
    return value;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    const where = start === undefined ? {} : { line: start.line, column: start.col };
    throw new SignatoryError(
      'SIGNATORY_NOT_YAML',
      'not YAML of one document with unique keys, without aliases, of bounded size',
      where,
      error,
    );
  }
}

/** @throws RangeError for a document of more values than a configuration has, or deeper */
function assertSize(document: unknown): void {
  let count = 0;
  const visit = (value: unknown, depth: number): void => {
    count += 1;
    if (count > MAX_VALUES || depth > MAX_DEPTH) throw new RangeError('too many values, or too deep');
    if (typeof value !== 'object' || value === null) return;
    for (const inner of Object.values(value)) visit(inner, depth + 1);
  };
  visit(document, 0);
}

function assertDriver(
  { driver, config }: z.infer<typeof driven>,
  drivers: ReadonlyMap<string, z.ZodType>,
  path: FieldPath,
): void {
  const schema = drivers.get(driver);
  if (schema === undefined) throw malformed([...path, 'driver'], 'no driver of Signatory has this name');
  const read = schema.safeParse(config);
  if (!read.success) throw describe(read.error.issues, [...path, 'config']);
}

function describe(issues: readonly z.core.$ZodIssue[], base: FieldPath): SignatoryError {
  const [issue] = issues;
  const path = [...base, ...((issue?.path ?? []) as FieldPath)];
  if (issue?.code === 'unrecognized_keys') {
    return new SignatoryError('SIGNATORY_UNKNOWN_FIELD', 'Signatory has no such field', {
      path: printPath([...path, issue.keys[0] ?? '']),
    });
  }
  return malformed(path, issue?.message ?? 'not a value of this field');
}

/** Makes the refusal of a value. The value stays out of it: it may be a secret. */
export function malformed(path: FieldPath, expected: string): SignatoryError {
  return new SignatoryError('SIGNATORY_MALFORMED', 'not a value of this field', {
    path: printPath(path),
    expected,
  });
}
