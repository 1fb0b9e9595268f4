import { z } from 'zod';
import { describeNetworkFault } from '../egress/addresses.ts';
import { isLoopback } from '../status/loopback.ts';
import { certificates, endpoint, HOST, path, port, secretReference } from './fields.ts';
import { peersSchema } from './peers-schema.ts';

const milliseconds = z
  .int()
  .min(1)
  .max(86_400_000 * 7);
const count = z.int().min(1).max(1_000_000);

/** Location of an artifact: a file, `s3://BUCKET/KEY`, or `secretsmanager:NAME`. */
const artifact = z.union(
  [
    path.transform((file) => ({ type: 'file' as const, file })),
    z
      .string()
      .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,62}\/.{1,1024}$/)
      .transform((url) => {
        const [bucket = '', ...key] = url.slice('s3://'.length).split('/');
        return { type: 's3' as const, bucket, key: key.join('/') };
      }),
    z
      .string()
      .regex(/^secretsmanager:[A-Za-z0-9/_+=.@:-]{1,512}$/)
      .transform((url) => ({ type: 'secrets-manager' as const, name: url.slice('secretsmanager:'.length) })),
  ],
  { error: 'a path that begins with /, s3://BUCKET/KEY or secretsmanager:NAME is expected' },
);
export type ArtifactLocation = z.infer<typeof artifact>;

/** Location of the secrets: a folder with a file for each, or `secretsmanager:PREFIX`. */
const secrets = artifact.refine(({ type }) => type !== 's3', { error: 'secrets do not come from S3' });

const target = z.strictObject({
  host: z.string().min(1).max(253),
  port,
  networks: z.array(z.string()).max(64).optional(),
  connectTo: z.strictObject({ address: z.string(), port }).optional(),
});

/** CIDR block of other machines. */
const network = z.string().superRefine((block, context) => {
  const fault = describeNetworkFault(block);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** Schema of the file that `holdfast parent run` reads, YAML or JSON. docs/parent.md explains each field. */
export const parentConfigSchema = z.strictObject({
  enclave: z
    .strictObject({
      cid: z.int().min(4).max(0xffff_fffe),
      /** Path of an image, with which the parent starts and watches the enclave itself, through nitro-cli. */
      image: path.optional(),
      pcrs: path.optional(),
      cpus: z.int().min(1).max(256).default(2),
      memoryMiB: z.int().min(64).max(1_048_576).default(1_024),
      /**
       * Debug mode, for trials alone: this host reads the enclave's memory, and the enclave's console goes into the
       * log.
       */
      debug: z.boolean().default(false),
      /** Terminates and restarts an enclave that runs and reports nothing for a minute. */
      restartWhenSilent: z.boolean().default(false),
    })
    .refine(({ image, pcrs }) => (image === undefined) === (pcrs === undefined), {
      error: 'image and pcrs are named together or not at all',
    }),
  /** Transport to the enclave: `vsock` on a Nitro host; a folder of Unix sockets elsewhere. */
  transport: z
    .union([z.literal('vsock'), z.strictObject({ unix: path })], {
      error: 'vsock or {unix: /folder} is expected',
    })
    .default('vsock'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .optional(),
  artifacts: z.strictObject({
    manifest: artifact,
    configuration: artifact,
    secrets,
    copies: path.optional(),
    admission: path.optional(),
    /** File of the admin's nonce, where it does not lie in `admission`. */
    nonce: path.optional(),
  }),
  store: z.union(
    [
      z.strictObject({ sqlite: path }),
      z.strictObject({ postgres: z.strictObject({ url: z.string() }), node: z.string().min(1).max(128) }),
      /** PostgreSQL by a URL in a file of its own, where the URL holds a password. */
      z.strictObject({ postgres: z.strictObject({ urlFile: path }), node: z.string().min(1).max(128) }),
      /** PostgreSQL by TLS alone, with a password that is read from AWS Secrets Manager before each connection. */
      z.strictObject({
        postgres: z.strictObject({
          /** Name of the server, which its certificate must have. */
          host: z.string().regex(HOST),
          port,
          database: z.string().regex(/^[A-Za-z0-9_]{1,63}$/),
          user: z.string().regex(/^[A-Za-z0-9_]{1,63}$/),
          password: secretReference,
          /** Authorities that may vouch for the server; no others are believed. */
          ca: certificates,
        }),
        node: z.string().min(1).max(128),
      }),
    ],
    {
      error:
        '{sqlite: /file}, or {postgres: …, node: NAME} with {url: URL}, {urlFile: /file}, or host, port, database, user, password and ca is expected',
    },
  ),
  /** File that notes which store the node has, and how far it is; `parent deploy` compares with it. */
  identity: path.optional(),
  egress: z.strictObject({
    allowlist: z.array(target).max(1_024).default([]),
    /** Path of an allow-list of AWS's vsock-proxy, unchanged; its targets are added to `allowlist`. */
    allowlistFile: path.optional(),
    /** CIDR blocks in which every target may lie besides public addresses: the subnets of VPC endpoints. */
    networks: z.array(network).max(64).default([]),
    ports: z
      .array(z.strictObject({ listen: z.int().min(1).max(0xffff_fffe), host: z.string(), port }))
      .max(256)
      .default([]),
    family: z.enum(['any', 'ipv4', 'ipv6']).default('any'),
    connectTimeoutMs: milliseconds.optional(),
    idleTimeoutMs: milliseconds.optional(),
    lifetimeMs: milliseconds.optional(),
    maxConnections: count.optional(),
    maxWaiting: count.optional(),
    waitMs: milliseconds.optional(),
  }),
  ingress: z
    .strictObject({
      listen: endpoint,
      maxConnections: count.optional(),
      maxPerSource: count.optional(),
      proxyProtocol: z.boolean().optional(),
      firstByteTimeoutMs: milliseconds.optional(),
      connectTimeoutMs: milliseconds.optional(),
      idleTimeoutMs: milliseconds.optional(),
      lifetimeMs: milliseconds.optional(),
    })
    .optional(),
  status: z
    .strictObject({
      listen: endpoint.refine(({ host }) => isLoopback(host), {
        error: 'a loopback address is expected: what is shown is for this machine alone',
      }),
    })
    .optional(),
  /** Way to the parents of other nodes: by TCP, or by NATS. */
  peers: peersSchema.optional(),
  /** Door for approvers: two routes of the enclave's interface, for the page and the command. */
  approvals: z
    .strictObject({
      listen: endpoint,
      origins: z
        .array(z.string().regex(/^https?:\/\/[a-z0-9.-]{1,253}(:[1-9][0-9]{0,4})?$/))
        .max(16)
        .default([]),
    })
    .optional(),
  /** Door for the parents of peers: the one route by which the enclave cosigns checkpoints of their logs. */
  witness: z.strictObject({ listen: endpoint }).optional(),
  /** The node's log as static files, its witnesses, and a bucket that gets a copy. */
  auditLog: z
    .strictObject({
      directory: path,
      witnesses: z
        .array(
          z.strictObject({
            url: z.url({ protocol: /^https?$/ }).max(2_048),
            key: z
              .string()
              .max(2_304)
              .regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/u),
          }),
        )
        .max(32)
        .default([]),
      s3: z
        .strictObject({
          bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,62}$/),
          prefix: z
            .string()
            .regex(/^(?:[A-Za-z0-9._-]+\/)*$/)
            .max(512)
            .default(''),
          /** Retention of each object; both left out: that which the bucket gives to whatever is written. */
          mode: z.enum(['COMPLIANCE', 'GOVERNANCE']).optional(),
          days: z.int().min(1).max(36_500).optional(),
        })
        .refine(({ mode, days }) => (mode === undefined) === (days === undefined), {
          error: 'mode and days are given together',
        })
        .optional(),
    })
    .optional(),
  log: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type ParentConfig = z.infer<typeof parentConfigSchema>;
