import { hash } from 'node:crypto';
import * as z from 'zod';
import { keyUsageSchema, listUsages, poolKeyTypeSchema } from '../../shared/algorithms.ts';
import {
  aliasSchema,
  type CreatePoolKeyRequest,
  descriptionSchema,
  MAX_ALIASES,
  MAX_TAGS,
  type PoolKey,
  poolKeyIdSchema,
  poolKeyStateSchema,
  tagSchema,
} from '../../shared/api/pool-keys.ts';
import { areUnique, identifier } from '../../shared/documents/configuration/fields.ts';
import { encodeCanonicalJson, JsonError, parseJson } from '../../shared/json/index.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';

const MAX_DEPTH = 4;
const time = z.int().min(0);

/** What is sealed of a key beside its secret, which is a record of its own. */
const recordSchema = z
  .strictObject({
    format: z.literal('holdfast-pool-key/1'),
    id: poolKeyIdSchema,
    pool: identifier,
    type: poolKeyTypeSchema,
    usage: keyUsageSchema,
    /** SubjectPublicKeyInfo in DER, hex; null of symmetric and HMAC keys. */
    publicKey: z
      .string()
      .regex(/^(?:[0-9a-f]{2}){1,1024}$/)
      .nullable(),
    /** The client that had the key made, and the token of its request. */
    client: identifier,
    token: z.string().regex(/^(?:[0-9a-f]{2}){16,32}$/),
    /** SHA-256 of the canonical request that made it, in hex. */
    request: z.string().regex(/^[0-9a-f]{64}$/),
    description: descriptionSchema,
    aliases: z.array(aliasSchema).max(MAX_ALIASES).refine(areUnique),
    tags: z
      .array(tagSchema)
      .max(MAX_TAGS)
      .refine((tags) => areUnique(tags.map(({ key }) => key))),
    state: poolKeyStateSchema,
    created: time,
    /** When the key is deleted; null where nobody has ordered that. */
    deletionTime: time.nullable(),
    /** Whether a request has named the key after the one that made it. */
    named: z.boolean(),
  })
  .refine(({ type, usage }) => listUsages(type).includes(usage))
  .refine(({ state, deletionTime }) => (state === 'pending-deletion') === (deletionTime !== null));
export type PoolKeyRecord = Readonly<z.infer<typeof recordSchema>>;

/** Encodes a record as JSON. */
export function encodeRecord(record: PoolKeyRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** Decodes the record of a key; undefined for what this node has not written. */
export function decodeRecord(id: string, bytes: Uint8Array): PoolKeyRecord | undefined {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_RECORD_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
  const parsed = recordSchema.safeParse(value);
  return parsed.success && parsed.data.id === id ? parsed.data : undefined;
}

/** Computes the digest by which two requests of one token are compared. */
export function digestCreation(
  pool: string,
  { type, usage, description, tags }: CreatePoolKeyRequest,
): string {
  const request = { pool, type, usage, description, tags: tags.map(({ key, value }) => ({ key, value })) };
  return hash('sha256', encodeCanonicalJson(request), 'hex');
}

/** Describes a key as one of its clients sees it: who has had it made is told the token of that creation. */
export function describeKey(record: PoolKeyRecord, client: string): PoolKey {
  const { id, pool, type, usage, state, description, publicKey, created, deletionTime, named } = record;
  return {
    id,
    pool,
    type,
    usage,
    state,
    description,
    aliases: [...record.aliases],
    tags: record.tags.map(({ key, value }) => ({ key, value })),
    publicKey,
    created,
    deletionTime,
    named,
    ...(record.client === client && { token: record.token }),
  };
}
