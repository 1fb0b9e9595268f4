import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import {
  createEnvelope,
  DsseError,
  ed25519PublicKeyHex,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
} from '../../../shared/dsse/index.ts';
import { JsonError, parseJson } from '../../../shared/json/index.ts';
import type { Role } from '../roles.ts';
import { ExchangeError } from './errors.ts';
import { type Facts, FACTS, isStepName, type StepName } from './facts.ts';

export const STATEMENT_FORMAT = 'holdfast-vault-statement/1';
export const STATEMENT_TYPE = 'application/vnd.holdfast.vault-statement+json';

/** Largest file of a statement, in bytes. */
export const MAX_STATEMENT_FILE_BYTES = 1024 * 1024;
const MAX_FILES = 512;
const MAX_DEPTH = 8;

const schema = z.strictObject({
  format: z.literal(STATEMENT_FORMAT),
  vault: z.string().regex(/^[0-9a-f]{96}$/),
  role: z
    .string()
    .regex(/^(?:infrastructure|node-[1-9][0-9]{0,2})$/)
    .transform((role) => role as Role),
  step: z.string().refine(isStepName),
  sequence: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  time: z.iso.datetime({ precision: 0 }),
  facts: z.unknown(),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
        sha384: z.string().regex(/^[0-9a-f]{96}$/),
      }),
    )
    .max(MAX_FILES)
    .refine((files) => new Set(files.map(({ name }) => name)).size === files.length, {
      error: 'a file is named twice',
    }),
});

/** File that belongs to a statement, by its digest. */
export interface StatedFile {
  /** `manifest.json` */
  readonly name: string;
  /** SHA-384 of its bytes, hex. */
  readonly sha384: string;
}

/** What a role says about one of its steps; see SPEC.md. */
export interface Statement<Name extends StepName = StepName> {
  readonly format: typeof STATEMENT_FORMAT;
  /** SHA-384 of the bytes of vault.yaml, hex. */
  readonly vault: string;
  readonly role: Role;
  readonly step: Name;
  /** Number that grows with each statement about the same step, from 1. */
  readonly sequence: number;
  /** RFC 3339 in UTC, whole seconds: the role's own clock. */
  readonly time: string;
  readonly facts: Facts<Name>;
  readonly files: readonly StatedFile[];
}

/** Whose statement about what is expected in a place of the exchange folder. */
export interface ExpectedStatement {
  /** SHA-384 of the bytes of vault.yaml, hex. */
  readonly vault: string;
  readonly role: Role;
  readonly step: StepName;
  /** Raw Ed25519 public key in hex, from vault.yaml. */
  readonly key: string;
}

/**
 * Signs a statement as the role that makes it.
 *
 * @param key raw Ed25519 public key in hex that vault.yaml names for the role
 * @returns a DSSE envelope as JSON that ends with a line feed
 * @throws ExchangeError STATEMENT_KEY_WRONG; STATEMENT_MALFORMED for facts that nobody would take
 */
export function signStatement(statement: Statement, privateKey: KeyObject, key: string): Uint8Array {
  assertStatementKey(privateKey, key, statement.role);
  parseStatement(statement);
  const payload = Buffer.from(`${JSON.stringify(statement, undefined, 2)}\n`);
  const envelope = signEnvelope(createEnvelope(STATEMENT_TYPE, payload), privateKey);
  return new Uint8Array(Buffer.from(`${JSON.stringify(envelope, undefined, 2)}\n`));
}

/** Asserts that a private key is the one that vault.yaml names for a role. @throws ExchangeError STATEMENT_KEY_WRONG */
export function assertStatementKey(privateKey: KeyObject, key: string, role: Role): void {
  const actual = ed25519PublicKeyHex(createPublicKey(privateKey));
  if (actual === key) return;
  throw new ExchangeError('STATEMENT_KEY_WRONG', 'vault.yaml names another statement key for this role', {
    role,
    expected: key,
    actual,
  });
}

/**
 * Opens a statement: verifies that the role's key has signed it, and that it is about this vault, role and step.
 *
 * @throws ExchangeError STATEMENT_MALFORMED, STATEMENT_UNKNOWN_KEY, STATEMENT_OTHER_VAULT, STATEMENT_OTHER_ROLE,
 * STATEMENT_OTHER_STEP
 */
export function openStatement(bytes: Uint8Array, expected: ExpectedStatement): Statement {
  const where = { step: `${expected.role}/${expected.step}` };
  const statement = parseStatement(parsePayload(verifySigned(bytes, expected, where), where), where);
  const compared = [
    ['STATEMENT_OTHER_VAULT', 'the statement is about another vault.yaml', 'vault'],
    ['STATEMENT_OTHER_ROLE', 'the statement is of another role', 'role'],
    ['STATEMENT_OTHER_STEP', 'the statement is about another step', 'step'],
  ] as const;
  for (const [code, message, member] of compared) {
    if (statement[member] === expected[member]) continue;
    throw new ExchangeError(code, message, {
      ...where,
      expected: expected[member],
      actual: statement[member],
    });
  }
  return statement;
}

function verifySigned(bytes: Uint8Array, { key }: ExpectedStatement, where: { step: string }): Uint8Array {
  try {
    return verifyEnvelope(parseEnvelope(bytes), { payloadType: STATEMENT_TYPE, keys: [key], threshold: 1 })
      .payload;
  } catch (error) {
    if (!(error instanceof DsseError)) throw error;
    if (error.code === 'DSSE_UNDER_SIGNED') {
      throw new ExchangeError(
        'STATEMENT_UNKNOWN_KEY',
        'the statement is not signed by the key that vault.yaml names',
        { ...where, expected: key },
      );
    }
    throw new ExchangeError('STATEMENT_MALFORMED', error.message, { ...where, ...error.details }, error);
  }
}

function parsePayload(payload: Uint8Array, where: { step: string }): unknown {
  try {
    return parseJson(payload, { maxBytes: MAX_ENVELOPE_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new ExchangeError('STATEMENT_MALFORMED', 'the statement is not strict JSON', where, error);
  }
}

function parseStatement(value: unknown, where: Record<string, unknown> = {}): Statement {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw malformed(parsed.error.issues[0]?.path ?? [], where);
  const { data } = parsed;
  const facts = FACTS[data.step].safeParse(data.facts);
  if (!facts.success) throw malformed(['facts', ...(facts.error.issues[0]?.path ?? [])], where);
  return { ...data, facts: facts.data };
}

function malformed(path: readonly PropertyKey[], where: Record<string, unknown>): ExchangeError {
  return new ExchangeError('STATEMENT_MALFORMED', 'a member of the statement is unknown, missing or wrong', {
    ...where,
    field: path.join('.'),
  });
}

/** Computes the digest by which statements name vault.yaml and files: SHA-384, hex. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha384').update(bytes).digest('hex');
}
