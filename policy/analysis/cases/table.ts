import * as z from 'zod';
import {
  algorithmSchema,
  keyUsageSchema,
  payloadKindSchema,
  poolKeyTypeSchema,
} from '../../../shared/algorithms.ts';
import { payloadSchema } from '../../../shared/api/payloads.ts';
import { isPlainOperation } from '../../request.ts';
import { isPoolOperation, poolOperationSchema } from '../../../shared/operations.ts';
import { EFFECT_TYPES, MAX_EFFECTS } from '../../transactions/index.ts';
import { AnalysisError } from '../errors.ts';

export const CASES_FORMAT = 'holdfast-cases/1';
/** The most cases of one table. */
const MAX_CASES = 10_000;
const MAX_TEXT = 256;
/** Ten years. */
const MAX_AFTER_SECONDS = 3653 * 86_400;
const MAX_PEOPLE = 64;

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const text = z.string().max(MAX_TEXT);
/** One line of text. */
const line = text.min(1).regex(/^[^\p{Cc}]+$/u);
/** Amounts are texts: YAML's and JSON's numbers end at 2^53. */
const decimal = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,77})$/)
  .transform(BigInt);
const moment = z.iso.datetime();
const optional = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null as never);

const effectSchema = z.strictObject({
  type: z.enum(EFFECT_TYPES),
  to: optional(text),
  asset: optional(text),
  amount: optional(decimal),
  contract: optional(text),
  selector: optional(text),
});

/** A transaction as decoders give it; what is left out is null, or an empty list. */
const transactionSchema = z.strictObject({
  kind: payloadKindSchema,
  network: optional(text),
  source: optional(text),
  effects: z.array(effectSchema).min(1).max(MAX_EFFECTS),
  fee: optional(z.strictObject({ asset: text, amount: decimal })),
  nonce: optional(decimal),
  gas: optional(decimal),
  features: z.array(text).max(64).default([]),
});

const expectSchema = z.strictObject({
  outcome: z.enum(['permitted', 'pending', 'denied']),
  /** Compared where they are given. */
  rule: identifier.optional(),
  code: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*$/)
    .optional(),
  /** Approvals that are missing, by group. */
  needs: z.record(identifier, z.int().min(1)).optional(),
});

const caseSchema = z
  .strictObject({
    name: line,
    /** When the request arrives; or how many seconds after the case before. Neither: at the same moment. */
    at: moment.optional(),
    after: z.int().min(0).max(MAX_AFTER_SECONDS).optional(),
    client: identifier,
    /** A key, or a pool. */
    key: identifier,
    /** Left out where a key of a pool is made or administered. */
    algorithm: algorithmSchema.optional(),
    operation: z.enum(['sign', 'import-share', ...poolOperationSchema.options]).default('sign'),
    /** What the key is, where `key` is a pool. */
    poolKey: z.strictObject({ type: poolKeyTypeSchema, usage: keyUsageSchema }).optional(),
    /** What a client sends; or what decoders make of it. */
    payload: payloadSchema.optional(),
    transaction: transactionSchema.optional(),
    /** Whether a kept backup covers the key; it does where this is left out. */
    backup: z.enum(['kept', 'outdated', 'missing']).default('kept'),
    /** Votes that have arrived for the request under a rule. */
    approvals: z
      .strictObject({
        rule: identifier,
        by: z.array(identifier).max(MAX_PEOPLE).default([]),
        rejectedBy: z.array(identifier).max(MAX_PEOPLE).default([]),
      })
      .optional(),
    expect: expectSchema,
  })
  .refine(({ at, after }) => at === undefined || after === undefined, {
    path: ['after'],
    error: 'at and after exclude each other',
  })
  .refine(({ operation, algorithm }) => (algorithm === undefined) === isPlainOperation(operation), {
    path: ['algorithm'],
    error: 'everything takes an algorithm but to make a key, to administer one and to back one up',
  })
  .refine(({ operation, poolKey }) => poolKey !== undefined || !isPoolOperation(operation), {
    path: ['poolKey'],
    error: 'the operation is one on keys of a pool: say which type and usage',
  })
  .refine(
    ({ operation, payload, transaction }) =>
      Number(payload !== undefined) + Number(transaction !== undefined) === (operation === 'sign' ? 1 : 0),
    { path: ['payload'], error: 'to sign takes one of payload and transaction, everything else neither' },
  );
export type Case = z.infer<typeof caseSchema>;

const tableSchema = z.strictObject({
  format: z.literal(CASES_FORMAT),
  /** Time of the first case, unless it has its own. */
  start: moment,
  /** Public keys of keys that the configuration does not pin, in hex. */
  keys: z.record(identifier, z.string().regex(/^(?:[0-9a-f]{2}){32,33}$/)).default({}),
  cases: z.array(caseSchema).min(1).max(MAX_CASES),
});
export type CaseTable = z.infer<typeof tableSchema>;

/** Reads a table of cases that was parsed from JSON or YAML. @throws AnalysisError CASES_MALFORMED */
export function readCases(value: unknown): CaseTable {
  const parsed = tableSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AnalysisError('CASES_MALFORMED', 'the table of cases does not match its schema', {
    field: issue?.path.join('.'),
    expected: issue?.message,
  });
}
