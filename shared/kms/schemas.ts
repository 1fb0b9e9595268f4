import { z } from 'zod';
import { blob, optional } from '../aws-json/index.ts';
import {
  ENCRYPTION_ALGORITHMS,
  KEY_SPEC_NAMES,
  KEY_USAGES,
  MAC_ALGORITHMS,
  SIGNING_ALGORITHMS,
} from './key-spec.ts';

/*
 * Requests of the operations of KMS, with AWS's bounds.
 * Source: AWS KMS API Reference, the "Request Parameters" of each operation.
 */

/** The most bytes of GenerateRandom, and of a data key. */
const MAX_RANDOM_BYTES = 1024;

export const keyIdSchema = z.string().min(1).max(2048);
export const grantTokensSchema = optional(z.array(z.string().min(1).max(8192)).max(10));
const contextSchema = optional(z.record(z.string(), z.string())).transform((context) => context ?? {});
const encryptionAlgorithmSchema = optional(z.enum(ENCRYPTION_ALGORITHMS)).transform(
  (algorithm) => algorithm ?? 'SYMMETRIC_DEFAULT',
);
export const ciphertextSchema = blob(1, 6144);
export const pageSchema = z.object({
  Limit: optional(z.int().min(1).max(1000)),
  Marker: optional(z.string().min(1).max(1024)),
});
/** Schema of RecipientInfo. Source: AWS KMS API Reference, "RecipientInfo". */
const recipientSchema = optional(
  z.object({
    KeyEncryptionAlgorithm: z.literal('RSAES_OAEP_SHA_256'),
    AttestationDocument: blob(1, 262_144),
  }),
);
export type RecipientInfo = z.output<typeof recipientSchema>;

/** Members that every request which uses a key shares. */
export const useSchema = z.object({
  KeyId: keyIdSchema,
  GrantTokens: grantTokensSchema,
  DryRun: optional(z.boolean()),
});
/** Request for a key by its id or ARN. */
export const keySchema = z.object({ KeyId: keyIdSchema });
/** Request for a page of what a key has. */
export const keyPageSchema = keySchema.extend(pageSchema.shape);

const tagListSchema = z.array(
  z.object({ TagKey: z.string().min(1).max(128), TagValue: z.string().max(256) }),
);
export type TagList = z.output<typeof tagListSchema>;
const descriptionSchema = z.string().max(8192);

export const createKeySchema = z.object({
  Policy: optional(z.string().min(1).max(131_072)),
  Description: optional(descriptionSchema),
  KeyUsage: optional(z.enum(KEY_USAGES)),
  KeySpec: optional(z.enum([...KEY_SPEC_NAMES, 'SM2'])),
  CustomerMasterKeySpec: optional(z.enum([...KEY_SPEC_NAMES, 'SM2'])),
  Origin: optional(z.enum(['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'])),
  MultiRegion: optional(z.boolean()),
  BypassPolicyLockoutSafetyCheck: optional(z.boolean()),
  Tags: optional(tagListSchema),
});
export const describeKeySchema = keySchema.extend({ GrantTokens: grantTokensSchema });
export const publicKeySchema = useSchema.omit({ DryRun: true });
export const updateDescriptionSchema = keySchema.extend({ Description: descriptionSchema });
// AWS checks the bounds of the type, then those of the operation: 7 to 30.
export const scheduleDeletionSchema = keySchema.extend({
  PendingWindowInDays: optional(z.int().min(1).max(365)),
});

export const tagResourceSchema = keySchema.extend({ Tags: tagListSchema });
export const untagResourceSchema = keySchema.extend({ TagKeys: z.array(z.string().min(1).max(128)) });

export const aliasNameSchema = z.object({
  AliasName: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[a-zA-Z0-9:/_-]+$/),
});
/** Request that points an alias at a key. */
export const aliasTargetSchema = aliasNameSchema.extend({ TargetKeyId: keyIdSchema });
export const listAliasesSchema = pageSchema.extend({ KeyId: optional(keyIdSchema) });

export const keyPolicySchema = keySchema.extend({
  PolicyName: optional(z.string().min(1).max(128).regex(/^\w+$/)).transform((name) => name ?? 'default'),
});

export const signSchema = useSchema.extend({
  Message: blob(1, 4096),
  MessageType: optional(z.enum(['RAW', 'DIGEST', 'EXTERNAL_MU'])).transform((type) => type ?? 'RAW'),
  SigningAlgorithm: z.enum(SIGNING_ALGORITHMS),
});
export const verifySchema = signSchema.extend({ Signature: ciphertextSchema });

export const macSchema = useSchema.extend({ Message: blob(1, 4096), MacAlgorithm: z.enum(MAC_ALGORITHMS) });
export const verifyMacSchema = macSchema.extend({ Mac: ciphertextSchema });

export const encryptSchema = useSchema.extend({
  Plaintext: blob(1, 4096),
  EncryptionContext: contextSchema,
  EncryptionAlgorithm: encryptionAlgorithmSchema,
});
export const decryptSchema = z.object({
  KeyId: optional(keyIdSchema),
  // A dry run that looks at no ciphertext does not need one.
  CiphertextBlob: optional(ciphertextSchema),
  EncryptionContext: contextSchema,
  EncryptionAlgorithm: encryptionAlgorithmSchema,
  GrantTokens: grantTokensSchema,
  Recipient: recipientSchema,
  DryRun: optional(z.boolean()),
  DryRunModifiers: optional(z.array(z.enum(['IGNORE_CIPHERTEXT']))),
});
export const reEncryptSchema = z.object({
  CiphertextBlob: optional(ciphertextSchema),
  SourceKeyId: optional(keyIdSchema),
  SourceEncryptionContext: contextSchema,
  SourceEncryptionAlgorithm: encryptionAlgorithmSchema,
  DestinationKeyId: keyIdSchema,
  DestinationEncryptionContext: contextSchema,
  DestinationEncryptionAlgorithm: encryptionAlgorithmSchema,
  GrantTokens: grantTokensSchema,
  DryRun: optional(z.boolean()),
  DryRunModifiers: optional(z.array(z.enum(['IGNORE_CIPHERTEXT']))),
});

/** Request for a data key; GenerateDataKeyWithoutPlaintext takes no Recipient. */
export const sealedDataKeySchema = useSchema.extend({
  EncryptionContext: contextSchema,
  KeySpec: optional(z.enum(['AES_256', 'AES_128'])),
  NumberOfBytes: optional(z.int().min(1).max(MAX_RANDOM_BYTES)),
});
export const dataKeySchema = sealedDataKeySchema.extend({ Recipient: recipientSchema });
/** Members that requests for pairs of data keys share, beside the kind of pair. */
export const sealedPairSchema = useSchema.extend({ EncryptionContext: contextSchema });
export const randomSchema = z.object({
  NumberOfBytes: z.int().min(1).max(MAX_RANDOM_BYTES),
  CustomKeyStoreId: optional(z.string().min(1).max(64)),
  Recipient: recipientSchema,
});
export const recipientMember = { Recipient: recipientSchema };

export const deriveSecretSchema = useSchema.extend({
  KeyAgreementAlgorithm: z.literal('ECDH'),
  PublicKey: blob(1, 8192),
  Recipient: recipientSchema,
});
