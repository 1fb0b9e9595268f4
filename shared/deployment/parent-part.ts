import { z } from 'zod';

/** Name of a secret of AWS Secrets Manager, never its value. */
const secret = z.string().regex(/^secretsmanager:[A-Za-z0-9/_+=.@:-]{1,512}$/);
const recordsNode = z.string().min(1).max(128);

/**
 * Parts of parent.yaml that a deployment brings, as they are written there. Paths of what `parent deploy` installs, the
 * store and the transport are the host's own and not among them; those parts are checked with the whole file.
 */
export const parentPartSchema = z.strictObject({
  enclave: z.strictObject({
    cpus: z.int().min(1).max(256).default(2),
    memoryMiB: z.int().min(64).max(1_048_576).default(1_024),
    restartWhenSilent: z.boolean().default(true),
  }),
  region: z.string().regex(/^[a-z0-9-]{1,32}$/),
  /** `secretsmanager:PREFIX` where an admin supplies the password; null where the enclave makes it. */
  secrets: secret.nullable(),
  /** Null for SQLite on the host; otherwise PostgreSQL, as in parent.yaml. A password stands in none of them. */
  postgres: z
    .union([
      z.strictObject({ urlFile: z.string().startsWith('/').max(4_096), node: recordsNode }),
      z.strictObject({
        host: z.string().min(1).max(253),
        port: z.int().min(1).max(65_535),
        database: z.string().min(1).max(63),
        user: z.string().min(1).max(63),
        password: secret,
        ca: z.string().max(65_536),
        node: recordsNode,
      }),
    ])
    .nullable(),
  egress: z.json(),
  ingress: z.json(),
  peers: z.json().nullable(),
  approvals: z.json().nullable(),
  witness: z.json().nullable(),
  /** As in parent.yaml, without `directory`. Null: no witnesses and no bucket; the log's folder is there all the same. */
  auditLog: z.json().nullable(),
  log: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});
export type ParentPart = z.infer<typeof parentPartSchema>;
