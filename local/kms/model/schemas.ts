import { z } from 'zod';
import { blob, optional } from '../../aws/plumbing.ts';
import { ENCRYPTION_ALGORITHMS, MAC_ALGORITHMS, SIGNING_ALGORITHMS } from './key-spec.ts';

/*
 * Members that several operations share, with AWS's bounds.
 * Source: AWS KMS API Reference, the "Request Parameters" of each operation.
 */

export const keyIdSchema = z.string().min(1).max(2048);
export const grantTokensSchema = optional(z.array(z.string().min(1).max(8192)).max(10));
export const contextSchema = optional(z.record(z.string(), z.string())).transform((context) => context ?? {});
export const encryptionAlgorithmSchema = optional(z.enum(ENCRYPTION_ALGORITHMS)).transform(
  (algorithm) => algorithm ?? 'SYMMETRIC_DEFAULT',
);
export const signingAlgorithmSchema = z.enum(SIGNING_ALGORITHMS);
export const macAlgorithmSchema = z.enum(MAC_ALGORITHMS);
export const messageSchema = blob(1, 4096);
export const ciphertextSchema = blob(1, 6144);
export const tagsSchema = z.array(
  z.object({ TagKey: z.string().min(1).max(128), TagValue: z.string().max(256) }),
);
export const pageSchema = z.object({
  Limit: optional(z.int().min(1).max(1000)),
  Marker: optional(z.string().min(1).max(1024)),
});

/** Members that every request which uses a key shares. */
export const useSchema = z.object({
  KeyId: keyIdSchema,
  GrantTokens: grantTokensSchema,
  DryRun: optional(z.boolean()),
});
/** Request for a key by its id or ARN. */
export const keySchema = z.object({ KeyId: keyIdSchema });
