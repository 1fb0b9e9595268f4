import { createHash } from 'node:crypto';
import * as z from 'zod';
import { partitionOf } from '../aws/partitions.ts';
import { parseJson } from '../json/index.ts';
import { MAX_MANIFEST_BYTES } from '../protocol/control.ts';
import { ManifestError } from './errors.ts';
import { type DocumentKind, parseByFormat } from './format.ts';
import { publicKey32Schema } from './public-key.ts';

export const MANIFEST_FORMAT = 'holdfast-manifest/1';

const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);

/**
 * A manifest: the identity of a node. Its bytes are measured into PCR16 before they are parsed, and the KMS key policy
 * names that value: with one byte changed, KMS decrypts nothing.
 */
export const manifestSchema = z
  .strictObject({
    format: z.literal(MANIFEST_FORMAT),
    namespace: label,
    environment: label,
    /** This node's place in its quorum, from 1. */
    node: z.int().min(1).max(255),
    quorum: z.strictObject({ size: z.int().min(1).max(255), threshold: z.int().min(1).max(255) }),
    kms: z.strictObject({
      /** The full ARN of the key; an alias could be pointed elsewhere. */
      keyArn: z
        .string()
        .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]{1,32}:[0-9]{12}:key\/[a-zA-Z0-9-]{1,64}$/)
        // A replica of a multi-Region key decrypts the same blobs under a key policy of its own.
        .refine((arn) => !arn.includes(':key/mrk-'), {
          error: 'a multi-Region key; a node needs a key of one Region',
        }),
      region: z.string().regex(/^[a-z0-9-]{1,32}$/),
    }),
    /** Ed25519 keys of the authorities that may configure the node, and the number of them that must sign. */
    configurationAuthority: z.strictObject({
      threshold: z.int().min(1).max(32),
      keys: z.array(publicKey32Schema).min(1).max(32),
    }),
    /** X25519 public key to which recovery material is encrypted. */
    emergencyRecovery: z.strictObject({ publicKey: publicKey32Schema }),
  })
  .refine(({ quorum }) => quorum.threshold <= quorum.size, {
    path: ['quorum', 'threshold'],
    error: 'greater than quorum.size',
  })
  .refine(({ node, quorum }) => node <= quorum.size, { path: ['node'], error: 'greater than quorum.size' })
  .refine(({ kms }) => kms.keyArn.split(':')[3] === kms.region, {
    path: ['kms', 'region'],
    error: 'not the region of kms.keyArn',
  })
  .refine(({ kms }) => partitionOf(kms.region)?.publicRoots === true, {
    path: ['kms', 'region'],
    error:
      'not a region whose KMS the enclave can authenticate: those of the partitions aws, aws-cn, aws-eusc and aws-us-gov are',
  })
  .refine(({ kms }) => partitionOf(kms.region)?.id === kms.keyArn.split(':')[1], {
    path: ['kms', 'keyArn'],
    error: 'not of the partition of kms.region',
  })
  .refine(({ configurationAuthority: { keys } }) => new Set(keys).size === keys.length, {
    path: ['configurationAuthority', 'keys'],
    error: 'a key is named twice',
  })
  .refine(({ configurationAuthority: { keys, threshold } }) => threshold <= keys.length, {
    path: ['configurationAuthority', 'threshold'],
    error: 'greater than the number of keys',
  });
export type Manifest = z.infer<typeof manifestSchema>;

/** What every manifest of a node says, wherever the node runs. */
export type NodeManifest = Omit<Manifest, 'format' | 'kms'>;

const MANIFEST_KIND: DocumentKind<Manifest> = {
  noun: 'manifest',
  formats: new Map([[MANIFEST_FORMAT, manifestSchema]]),
  refuse: (message, details) => new ManifestError('MANIFEST_MALFORMED', message, details),
};

/**
 * Parses a manifest's bytes, which an enclave has measured before.
 *
 * @throws ManifestError MANIFEST_MALFORMED
 */
export function parseManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_MANIFEST_BYTES, maxDepth: 4 });
  } catch (error) {
    throw new ManifestError('MANIFEST_MALFORMED', 'the manifest is not strict JSON', {}, error);
  }
  return parseByFormat(value, MANIFEST_KIND);
}

/** Computes the SHA-384 of a manifest's bytes, which PCR16 is extended with and which its configurations name. */
export function digestManifest(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha384').update(bytes).digest());
}
