import * as z from 'zod';
import {
  account,
  duration,
  endpoint,
  entryName,
  imageReference,
  keyId,
  label,
  nodeName,
  objectName,
  port,
  region,
  roleArn,
} from './fields.ts';

export const CANTON_FORMAT = 'holdfast-canton/1';
const MAX_VALIDATORS = 256;
/** Canton's word for "for ever": the largest number of retries that it takes. */
const MAX_RETRIES = 2_147_483_647;

const sidecarSchema = z.strictObject({
  image: imageReference,
  /** Secret with gateway.yaml and what it names; mounted into the door alone. */
  secret: objectName,
  port,
});

/** Where the keys are: AWS KMS itself, or enclaves behind a door, beside the participant or elsewhere. */
const providerSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('aws'),
    region,
    account,
    /** Endpoint of KMS other than the Region's own: an interface endpoint of a VPC, for example. */
    endpoint: endpoint.optional(),
    multiRegion: z.boolean().default(false),
  }),
  z
    .strictObject({
      type: z.literal('door'),
      /** Region and account as the file of the door names them. */
      region,
      account,
      sidecar: sidecarSchema.optional(),
      endpoint: endpoint.optional(),
    })
    .refine(({ sidecar, endpoint }) => (sidecar === undefined) !== (endpoint === undefined), {
      error: 'expected either a sidecar or an endpoint',
    }),
]);

const backoffSchema = z.strictObject({
  initialDelay: duration,
  maxDelay: duration,
  maxRetries: z.int().min(0).max(MAX_RETRIES),
});

const keySchema = z.strictObject({
  id: keyId,
  /** Region of a key whose id does not name it. */
  region: region.optional(),
});
export const KEY_PURPOSES = ['namespace', 'signing', 'encryption', 'sequencer-auth'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];
const keysSchema = z.partialRecord(z.enum(KEY_PURPOSES), keySchema);

const validatorSchema = z.strictObject({
  name: label,
  /** Kubernetes namespace. */
  namespace: label,
  kind: z.enum(['splice', 'canton']),
  /** Name of the node in Canton's configuration; that of a Splice validator is always `participant`. */
  participant: nodeName.optional(),
  workload: z
    .strictObject({
      kind: z.enum(['Deployment', 'StatefulSet']),
      name: objectName,
      container: label,
    })
    .optional(),
  /** Whether its keys are in KMS; the environment's when left out. */
  kms: z.boolean().optional(),
  /** Where its keys are today: nowhere yet, in the participant's database, or in KMS. */
  keysNow: z.enum(['none', 'database', 'kms']).default('none'),
  /** How keys leave the database. */
  migration: z.enum(['move', 'rotate', 'envelope']).default('move'),
  /** Whether KMS holds each key, or the one key under which the participant encrypts its own. */
  mode: z.enum(['keys', 'envelope']).default('keys'),
  provider: providerSchema.optional(),
  keys: keysSchema.default({}),
  /** Keys that exist, to which the ones of `keys` shall be rotated. */
  rotateTo: keysSchema.default({}),
  /** Key of the envelope mode, where it exists. */
  wrapperKey: keySchema.optional(),
  /** Whether Canton may order the deletion of keys. */
  mayDeleteKeys: z.boolean().default(true),
  serviceAccount: z.strictObject({ name: objectName, roleArn: roleArn.optional() }).optional(),
  /** Secret with an access key: the credentials of a door's client, or of AWS where there is no role. */
  credentials: z
    .strictObject({
      secret: objectName,
      accessKeyId: entryName.default('accessKeyId'),
      secretAccessKey: entryName.default('secretAccessKey'),
    })
    .optional(),
  image: z.strictObject({
    reference: imageReference,
    /** What attests the access of this image to KMS: a door, measurements in the key's policy, or nothing. */
    attested: z.union([
      z.literal('gateway'),
      z.literal('no'),
      z.strictObject({
        pcrs: z.record(z.string().regex(/^(?:\d|[12]\d|3[01])$/), z.string().regex(/^[0-9a-f]{96}$/)),
      }),
    ]),
  }),
  sessionSigningKeys: z.boolean().default(true),
  auditLogging: z.boolean().default(true),
  retries: z
    .strictObject({ failures: backoffSchema.optional(), createKeyCheck: backoffSchema.optional() })
    .default({}),
  /** Authorities that the participant trusts for the endpoint: an entry of a Secret. */
  trustStore: z
    .strictObject({ secret: objectName, entry: entryName, type: z.enum(['PKCS12', 'JKS']) })
    .optional(),
});

export const descriptionSchema = z.strictObject({
  format: z.literal(CANTON_FORMAT),
  environment: z.strictObject({
    name: label,
    production: z.boolean(),
    /** Default of the validators' own `kms`. */
    kms: z.boolean(),
    /** Names of the variables by which an operator's deployment turns KMS on, for each validator. */
    variables: z
      .strictObject({ enabled: variable(), region: variable(), serviceAccount: variable() })
      .default({ enabled: 'KMS_ENABLED', region: 'KMS_REGION', serviceAccount: 'KMS_SERVICE_ACCOUNT' }),
  }),
  validators: z.array(validatorSchema).min(1).max(MAX_VALIDATORS),
});

function variable() {
  return z
    .string()
    .max(128)
    .regex(/^[A-Z][A-Z0-9_]*$/);
}

export type DescriptionFields = z.infer<typeof descriptionSchema>;
export type ValidatorFields = z.infer<typeof validatorSchema>;
export type Provider = z.infer<typeof providerSchema>;
export type Backoff = z.infer<typeof backoffSchema>;
export type NamedKey = z.infer<typeof keySchema>;
