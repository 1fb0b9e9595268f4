import * as z from 'zod';
import { algorithmSchema, keyUsageSchema, payloadKindSchema, poolKeyTypeSchema } from '../algorithms.ts';
import { operationSchema } from '../operations.ts';
import { keyInfoSchema } from './bodies.ts';

/**
 * The bodies of a node's interface for keys of pools, which clients have it make while it runs. JSON; byte strings are
 * lower-case hex. Every request is signed (shared/http-signature).
 *
 * GET  /v1/pools                              pools that the client sees, their keys, and keys of the configuration
 * POST /v1/pools/{pool}/keys                  makes a key
 * GET  /v1/pool-keys/{id}                     a key's state
 * POST /v1/pool-keys/{id}/encrypt             and decrypt, re-encrypt, data-key, mac, verify-mac, derive-secret
 * POST /v1/pool-keys/{id}/changes             changes a key's description, tags, aliases or state; orders its deletion
 * POST /v1/random                             bytes of the node's generator
 *
 * Signatures go by POST /v1/sign, as those of all keys. Each response to what a rule has permitted carries `rule`,
 * `configuration` and `receipt`.
 */

const hex = (minimum: number, maximum: number) =>
  z
    .string()
    .max(2 * maximum)
    .regex(/^(?:[0-9a-f]{2})*$/)
    .min(2 * minimum);

/** Longest plaintext of `encrypt`, message of `mac`, and longest message that a pool key signs by way of KMS, in bytes. */
export const MAX_PLAINTEXT_BYTES = 4096;
/**
 * Longest ciphertext, in bytes. That of a symmetric key begins with 0x01 and the 16 bytes of the key's id
 * (enclave/pools/SPEC.md).
 */
export const MAX_CIPHERTEXT_BYTES = 6144;
export const MAX_RANDOM_BYTES = 1024;
/** Longest descriptions, aliases and tags that a node keeps of all keys of its pools, as JSON, in bytes. */
export const MAX_POOL_METADATA_BYTES = 8 * 1024 * 1024;
/** Longest response that lists pools and keys, in bytes. */
export const MAX_POOL_LIST_BYTES = 64 * 1024 * 1024;
export const MAX_TAGS = 50;
/** The most aliases of one key. */
export const MAX_ALIASES = 50;

/** Id of a key of a pool: a UUID (RFC 9562, version 4) that the node draws; valid for as long as the key is kept. */
export const poolKeyIdSchema = z.uuid({ version: 'v4' }).regex(/^[0-9a-f-]*$/);
export const descriptionSchema = z.string().max(8192);
/** Alias without KMS's `alias/`. */
export const aliasSchema = z
  .string()
  .max(250)
  .regex(/^[a-zA-Z0-9/_-]+$/);
export const tagSchema = z.strictObject({ key: z.string().min(1).max(128), value: z.string().max(256) });
export type Tag = z.infer<typeof tagSchema>;

const MAX_CONTEXT_ENTRIES = 64;
/** Longest names and values of an encryption context, all together, in UTF-16 units: as KMS has it. */
const MAX_CONTEXT_LENGTH = 8192;
/** Additional authenticated data of a symmetric key's ciphertext: KMS's EncryptionContext. */
export const encryptionContextSchema = z.record(z.string().min(1), z.string()).refine((context) => {
  const entries = Object.entries(context);
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  return entries.length <= MAX_CONTEXT_ENTRIES && length <= MAX_CONTEXT_LENGTH;
});
export type EncryptionContext = z.infer<typeof encryptionContextSchema>;

/** State of a key: `enabled`; `disabled`, by order; `pending-deletion`, until `deletionTime`. */
export const poolKeyStateSchema = z.enum(['enabled', 'disabled', 'pending-deletion']);

export const poolKeySchema = z.strictObject({
  id: poolKeyIdSchema,
  pool: z.string(),
  type: poolKeyTypeSchema,
  usage: keyUsageSchema,
  state: poolKeyStateSchema,
  description: descriptionSchema,
  aliases: z.array(aliasSchema).max(MAX_ALIASES),
  tags: z.array(tagSchema).max(MAX_TAGS),
  /** DER SubjectPublicKeyInfo; null for symmetric and HMAC keys. */
  publicKey: hex(1, 1024).nullable(),
  /** Milliseconds since 1970, by the NSM's clock. */
  created: z.int().min(0),
  deletionTime: z.int().min(0).nullable(),
  /** Whether any later request has named the key: a creation whose answer was lost leaves one that none has. */
  named: z.boolean(),
  /** Token of the creation, which the client that had the key made alone is told. */
  token: hex(16, 32).optional(),
});
export type PoolKey = z.infer<typeof poolKeySchema>;

/**
 * What permits name for the client, a key or a pool, all of them together: what no rule denies, and within their
 * conditions.
 */
const grantsSchema = z.strictObject({
  operations: z.array(operationSchema),
  algorithms: z.array(algorithmSchema),
  payloads: z.array(payloadKindSchema),
});
export type Grants = z.infer<typeof grantsSchema>;

export const poolListSchema = z.strictObject({
  pools: z.array(
    z.strictObject({
      id: z.string(),
      types: z.array(poolKeyTypeSchema),
      maximum: z.int(),
      deletionDays: z.int(),
      grants: grantsSchema,
      keys: z.array(poolKeySchema),
    }),
  ),
  /** Keys of the configuration that some permit names for the client. */
  keys: z.array(keyInfoSchema.extend({ grants: grantsSchema })),
});
export type PoolList = z.infer<typeof poolListSchema>;

/**
 * Makes a key. `token` is drawn by the client: the same token with the same body is the same key again, for as long as the
 * key is kept; with another body it is refused (TOKEN_REUSED).
 */
export const createPoolKeyRequestSchema = z.strictObject({
  type: poolKeyTypeSchema,
  usage: keyUsageSchema,
  description: descriptionSchema,
  tags: z
    .array(tagSchema)
    .max(MAX_TAGS)
    .refine((tags) => new Set(tags.map(({ key }) => key)).size === tags.length),
  token: hex(16, 32),
});
export type CreatePoolKeyRequest = z.infer<typeof createPoolKeyRequestSchema>;

const context = encryptionContextSchema.optional();
export const encryptRequestSchema = z.strictObject({
  algorithm: algorithmSchema,
  plaintext: hex(1, MAX_PLAINTEXT_BYTES),
  context,
});
export type EncryptRequest = z.infer<typeof encryptRequestSchema>;
export const decryptRequestSchema = z.strictObject({
  algorithm: algorithmSchema,
  ciphertext: hex(1, MAX_CIPHERTEXT_BYTES),
  context,
});
export type DecryptRequest = z.infer<typeof decryptRequestSchema>;
/** Decrypts by the key of the path and encrypts by another; both have to be permitted. */
export const reEncryptRequestSchema = z.strictObject({
  from: decryptRequestSchema,
  to: z.strictObject({ key: poolKeyIdSchema, algorithm: algorithmSchema, context }),
});
export type ReEncryptRequest = z.infer<typeof reEncryptRequestSchema>;
/** Draws a data key and encrypts it; `plaintext: false` returns the ciphertext alone. */
export const dataKeyRequestSchema = z.strictObject({
  bytes: z.int().min(1).max(MAX_RANDOM_BYTES),
  plaintext: z.boolean(),
  context,
});
export type DataKeyRequest = z.infer<typeof dataKeyRequestSchema>;
export const macRequestSchema = z.strictObject({
  algorithm: algorithmSchema,
  message: hex(1, MAX_PLAINTEXT_BYTES),
});
export type MacRequest = z.infer<typeof macRequestSchema>;
export const verifyMacRequestSchema = macRequestSchema.extend({ mac: hex(1, 64) });
export type VerifyMacRequest = z.infer<typeof verifyMacRequestSchema>;
/** ECDH with a peer's public key (DER SubjectPublicKeyInfo): the x-coordinate of the shared point. */
export const deriveSecretRequestSchema = z.strictObject({ publicKey: hex(1, 1024) });
export type DeriveSecretRequest = z.infer<typeof deriveSecretRequestSchema>;
export const randomRequestSchema = z.strictObject({ bytes: z.int().min(1).max(MAX_RANDOM_BYTES) });

/** One change of a key. */
export const poolKeyChangeSchema = z.discriminatedUnion('change', [
  z.strictObject({ change: z.literal('describe'), description: descriptionSchema }),
  z.strictObject({ change: z.literal('tag'), tags: z.array(tagSchema).min(1).max(MAX_TAGS) }),
  z.strictObject({
    change: z.literal('untag'),
    keys: z.array(z.string().min(1).max(128)).min(1).max(MAX_TAGS),
  }),
  /** Refused (ALIAS_EXISTS) where another key has it. */
  z.strictObject({ change: z.literal('add-alias'), alias: aliasSchema }),
  /** Takes the alias from the key that has it, which must be of the same type and usage. */
  z.strictObject({ change: z.literal('move-alias'), alias: aliasSchema }),
  z.strictObject({ change: z.literal('remove-alias'), alias: aliasSchema }),
  z.strictObject({ change: z.literal('enable') }),
  z.strictObject({ change: z.literal('disable') }),
  z.strictObject({ change: z.literal('schedule-deletion'), days: z.int().min(7).max(30) }),
  z.strictObject({ change: z.literal('cancel-deletion') }),
]);
export type PoolKeyChange = z.infer<typeof poolKeyChangeSchema>;

const decided = {
  /** The rule that has permitted the request. */
  rule: z.string(),
  configuration: z.int().min(1),
  receipt: z.unknown().optional(),
};
/** Response to a creation and to a change. */
export const poolKeyResponseSchema = z.strictObject({ key: poolKeySchema, ...decided });
export const ciphertextResponseSchema = z.strictObject({
  ciphertext: hex(1, MAX_CIPHERTEXT_BYTES),
  /** The data key itself, where it was asked for. */
  plaintext: hex(1, MAX_PLAINTEXT_BYTES).optional(),
  /** Of `re-encrypt`: the decision on the decryption; the other members are about the encryption. */
  decryption: z.strictObject(decided).optional(),
  ...decided,
});
export const plaintextResponseSchema = z.strictObject({ plaintext: hex(0, MAX_PLAINTEXT_BYTES), ...decided });
export const macResponseSchema = z.strictObject({ mac: hex(1, 64), ...decided });
export const verifyMacResponseSchema = z.strictObject({ valid: z.boolean(), ...decided });
export const secretResponseSchema = z.strictObject({ secret: hex(1, 66), ...decided });
export const randomResponseSchema = z.strictObject({ bytes: hex(1, MAX_RANDOM_BYTES) });
