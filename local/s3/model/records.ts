import { z } from 'zod';
import type { XmlElement } from '../../aws/plumbing.ts';

/** Modes of Object Lock: governance can be bypassed by whoever may, compliance by nobody. */
export const LOCK_MODES = ['GOVERNANCE', 'COMPLIANCE'] as const;
export type LockMode = (typeof LOCK_MODES)[number];

/** Documents of a bucket that are kept and shown, and decide nothing. */
export const KEPT_DOCUMENTS = ['logging', 'encryption', 'lifecycle', 'ownershipControls', 'tagging'] as const;
export type KeptDocument = (typeof KEPT_DOCUMENTS)[number];

const xmlSchema: z.ZodType<XmlElement> = z.lazy(() =>
  z.object({ name: z.string(), content: z.union([z.string(), z.array(xmlSchema)]) }),
);

/** Source: S3 API Reference, "PublicAccessBlockConfiguration". */
export const publicAccessBlockSchema = z.strictObject({
  BlockPublicAcls: z.boolean(),
  IgnorePublicAcls: z.boolean(),
  BlockPublicPolicy: z.boolean(),
  RestrictPublicBuckets: z.boolean(),
});
export type PublicAccessBlock = z.output<typeof publicAccessBlockSchema>;

/** Retention that new versions get. */
export const lockRuleSchema = z.strictObject({
  mode: z.enum(LOCK_MODES),
  days: z.int().min(1).optional(),
  years: z.int().min(1).optional(),
});
export type LockRule = z.output<typeof lockRuleSchema>;

export const bucketSchema = z.strictObject({
  name: z.string(),
  accountId: z.string(),
  region: z.string(),
  createdAt: z.number(),
  versioning: z.enum(['Unversioned', 'Enabled', 'Suspended']),
  objectLock: z.strictObject({ rule: lockRuleSchema.optional() }).optional(),
  policy: z.string().optional(),
  publicAccessBlock: publicAccessBlockSchema.optional(),
  documents: z.partialRecord(z.enum(KEPT_DOCUMENTS), xmlSchema),
});
/** Bucket with its settings. Times are milliseconds since 1970. */
export type Bucket = Readonly<z.output<typeof bucketSchema>>;

const checksumSchema = z.strictObject({
  algorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']),
  /** Base64; of a composite one with a hyphen and the number of parts. */
  value: z.string(),
  type: z.enum(['FULL_OBJECT', 'COMPOSITE']),
});
export type Checksum = z.output<typeof checksumSchema>;

/** What a client says of an object beside its content. */
export const attributesSchema = z.strictObject({
  /** Fields that are given back as they came: content-type and its like, by lower-case name. */
  headers: z.record(z.string(), z.string()),
  /** x-amz-meta- fields, without the prefix. */
  metadata: z.record(z.string(), z.string()),
  tags: z.record(z.string(), z.string()),
  encryption: z.record(z.string(), z.string()),
});
export type Attributes = z.output<typeof attributesSchema>;

export const lockSchema = z.strictObject({
  mode: z.enum(LOCK_MODES).optional(),
  /** End of the retention, milliseconds since 1970. */
  until: z.number().optional(),
  hold: z.boolean(),
});
/** Protection of one version. */
export type Lock = Readonly<z.output<typeof lockSchema>>;

export const versionSchema = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  /** `null` while versioning is off. */
  versionId: z.string(),
  /** Order among all versions of all buckets. */
  sequence: z.number(),
  modifiedAt: z.number(),
  /** Absent for a delete marker. */
  content: z
    .strictObject({
      /** Name of the file in the folder of data. */
      file: z.string(),
      size: z.number(),
      etag: z.string(),
      checksum: checksumSchema,
      attributes: attributesSchema,
      parts: z.number().optional(),
    })
    .optional(),
  lock: lockSchema,
});
/** Version of an object, or a delete marker. */
export type Version = Readonly<z.output<typeof versionSchema>>;
export type Content = NonNullable<Version['content']>;

export const uploadSchema = z.strictObject({
  id: z.string(),
  bucket: z.string(),
  key: z.string(),
  startedAt: z.number(),
  attributes: attributesSchema,
  lock: lockSchema,
  checksum: z.strictObject({ algorithm: checksumSchema.shape.algorithm, type: checksumSchema.shape.type }),
  initiator: z.string(),
  parts: z.array(
    z.strictObject({
      number: z.number(),
      file: z.string(),
      size: z.number(),
      etag: z.string(),
      checksum: z.string(),
      modifiedAt: z.number(),
    }),
  ),
});
/** Multipart upload under way. */
export type Upload = Readonly<z.output<typeof uploadSchema>>;
