import { isIP } from 'node:net';
import { z } from 'zod';
import { certificates as authorities, endpoint, HOST, path, port, secretReference } from './fields.ts';

const node = z.int().min(1).max(255);
const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
/** Address of another parent as `HOST:PORT`, an IPv6 address in brackets. */
const address = z.string().transform((value, context) => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([1-9][0-9]{0,4})$/.exec(value);
  const host = match?.[1] ?? match?.[2] ?? '';
  const parsed = port.safeParse(Number(match?.[3]));
  if (!parsed.success || (isIP(host) === 0 && !HOST.test(host))) {
    context.addIssue({ code: 'custom', message: 'HOST:PORT is expected' });
    return z.NEVER;
  }
  return { host, port: parsed.data };
});

const certificates = { ca: path, certificate: path, key: path };

/** What a parent shows to NATS servers: files that follow their changes, or secrets that are read before each connection. */
const natsIdentity = {
  /** Authorities: a file, or certificates in PEM where `identity` is named. */
  ca: z.union([path, authorities], { error: 'a path or certificates in PEM are expected' }),
  certificate: path.optional(),
  key: path.optional(),
  /** Secret with a certificate and its private key in PEM, in place of the two files. */
  identity: secretReference.optional(),
  /** A user's JWT and seed, where the servers ask for one besides the certificate: a file, or a secret. */
  credentials: z
    .union([path, secretReference], { error: 'a path or secretsmanager:NAME is expected' })
    .optional(),
};

const natsSchema = z.strictObject({
  /** Servers of one cluster; TLS is not optional. */
  servers: z
    .array(
      z
        .string()
        .max(512)
        .regex(/^tls:\/\/[a-z][a-z0-9.-]{0,252}:[1-9][0-9]{0,4}$/, {
          error: 'tls://HOST:PORT is expected, with the name that is in the certificate of the server',
        }),
    )
    .min(1)
    .max(16),
  namespace: label,
  environment: label,
  ...natsIdentity,
  replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(3),
  maxAgeSeconds: z.int().min(10).max(86_400).default(300),
  maxBytes: z
    .int()
    .min(1024 * 1024)
    .max(16 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
});

const nats = natsSchema.refine(
  ({ ca, certificate, key, identity, credentials }) => {
    const isPath = (value: unknown) => typeof value === 'string' && value.startsWith('/');
    return identity === undefined
      ? isPath(ca) &&
          certificate !== undefined &&
          key !== undefined &&
          (credentials === undefined || isPath(credentials))
      : !isPath(ca) && certificate === undefined && key === undefined && !isPath(credentials);
  },
  {
    error:
      'either files (ca, certificate, key, credentials), or ca in PEM with secrets (identity, credentials) are expected',
  },
);

/** Schema of the way to the parents of other nodes. docs/peers.md explains each field. */
export const peersSchema = z
  .strictObject({
    /** Number of the node that this parent serves, as in its manifest. */
    node,
    listen: endpoint.optional(),
    nodes: z
      .array(z.strictObject({ node, address: address.optional(), name: z.string().regex(HOST).optional() }))
      .min(1)
      .max(31),
    tls: z.strictObject(certificates).optional(),
    nats: nats.optional(),
  })
  .superRefine(({ node: self, listen, nodes, tls, nats }, context) => {
    const refuse = (message: string, ...path: (string | number)[]) =>
      context.addIssue({ code: 'custom', message, path });
    const numbers = nodes.map(({ node }) => node);
    if (new Set(numbers).size !== numbers.length) refuse('a node is named twice', 'nodes');
    if (numbers.includes(self)) refuse('the other nodes are expected, and this one is among them', 'nodes');
    if (nats !== undefined) {
      if (listen !== undefined || tls !== undefined || nodes.some(({ address }) => address !== undefined)) {
        refuse('either nats, or listen, addresses and tls', 'nats');
      }
      return;
    }
    for (const [index, { address, name }] of nodes.entries()) {
      if (address === undefined && listen === undefined) {
        refuse('a node without an address can only connect where listen is named', 'nodes', index);
      }
      if (tls !== undefined && name === undefined && address === undefined) {
        refuse('with tls a node needs an address, or the name in its certificate', 'nodes', index);
      }
    }
  });
