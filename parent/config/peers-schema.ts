import { isIP } from 'node:net';
import { z } from 'zod';
import { endpoint, path, port } from './fields.ts';

const node = z.int().min(1).max(255);
const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
/** Name of a machine (RFC 1123). */
const HOST = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/i;

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

const nats = z.strictObject({
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
  ...certificates,
  /** File of a user's JWT and seed, where the servers ask for one besides the certificate. */
  credentials: path.optional(),
  replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(3),
  maxAgeSeconds: z.int().min(10).max(86_400).default(300),
  maxBytes: z
    .int()
    .min(1024 * 1024)
    .max(16 * 1024 * 1024 * 1024)
    .default(64 * 1024 * 1024),
});

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
