import * as z from 'zod';
import { GatewayError } from './errors.ts';

/** The most nodes that one door asks. */
const MAX_NODES = 16;
/** The most clients that one door holds request keys of. */
const MAX_CLIENTS = 64;

/** Id of a client, a key, a pool or a rule, as configurations of nodes name them. */
export const identifierSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
/** Path of a file, relative to the folder of the configuration file. */
export const pathSchema = z.string().min(1).max(4096);
const host = z.string().min(1).max(255);
const port = z.int().min(0).max(65_535);

/** Where a secret is read from: a file, a variable of the environment, or AWS Secrets Manager. Exactly one of them. */
export const secretSchema = z
  .strictObject({
    file: pathSchema.optional(),
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
      .optional(),
    /** ARN of a secret that is text, with or without the six random characters at its end. */
    secret: z
      .string()
      .max(700)
      .regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]{1,32}:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]{1,512}$/)
      .optional(),
  })
  .refine(
    (sources) => Object.values(sources).filter((source) => source !== undefined).length === 1,
    'expected one of file, env and secret',
  );
export type SecretSource = z.infer<typeof secretSchema>;

/** Where a door listens: `port` on `host` (loopback when left out), with TLS where `tls` is given; or a Unix socket. */
export const listenSchema = z
  .strictObject({
    host: host.optional(),
    port: port.optional(),
    /** Path of a Unix socket, which the user of the process alone may open. */
    unix: pathSchema.optional(),
    tls: z
      .strictObject({
        /** Certificate chain in PEM. */
        certificate: pathSchema,
        key: secretSchema,
        /** PEM of the authorities whose certificates a client must show; left out: no certificate is asked for. */
        clients: pathSchema.optional(),
      })
      .optional(),
  })
  .refine(({ port, unix }) => (port === undefined) !== (unix === undefined), 'expected either port or unix')
  .refine(
    ({ unix, host, tls }) => unix === undefined || (host === undefined && tls === undefined),
    'expected neither host nor tls beside unix',
  );
export type ListenConfig = z.infer<typeof listenSchema>;

/** Fields of gateway.yaml that all doors share; each door has a section of its own beside them. */
export const gatewayFields = {
  /** Profiles (holdfast.yaml) of the nodes, in the order in which they are asked: url, pcrs, manifest, root. */
  nodes: z.array(pathSchema).min(1).max(MAX_NODES),
  /** Clients of the nodes' configuration whose Ed25519 request keys (PEM, PKCS #8) the door holds. */
  clients: z
    .array(z.strictObject({ id: identifierSchema, key: secretSchema }))
    .min(1)
    .max(MAX_CLIENTS)
    .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'expected each client once'),
  /** A second listener that has /healthz and /readyz alone, and so may be any address: probes come from outside. */
  probes: z.strictObject({ host: host.optional(), port }).optional(),
  log: z
    .strictObject({ format: z.enum(['json', 'text']).default('json'), payloads: z.boolean().default(false) })
    .default({ format: 'json', payloads: false }),
  /** Deadline of one request to a node. */
  timeoutSeconds: z.int().min(1).max(60).default(10),
  /** How old the last answer of a node may be for the door to be ready. */
  readySeconds: z.int().min(2).max(300).default(15),
  /** How long requests under way have for their responses when the door stops. */
  drainSeconds: z.int().min(0).max(300).default(15),
};

/**
 * Checks a configuration. @throws GatewayError GATEWAY_CONFIG_MALFORMED that names each field; never its value, which may
 * be a secret at a wrong place
 */
export function parseGatewayConfig<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(describeIssue);
  throw new GatewayError(
    'GATEWAY_CONFIG_MALFORMED',
    `the configuration has ${problems.length === 1 ? 'a field' : 'fields'} that no door takes: ${problems.join('; ')}`,
    { fields: problems },
  );
}

function describeIssue(issue: z.core.$ZodIssue): string[] {
  const place = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${place === '' ? key : `${place}.${key}`}: unknown field`);
  return [`${place === '' ? 'the file' : place}: ${describeExpectation(issue)}`];
}

function describeExpectation(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'missing' : `expected ${issue.expected}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  return issue.code === 'custom' ? issue.message : 'malformed';
}
