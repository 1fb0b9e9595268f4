import * as z from 'zod';
import { areUnique, entryList, identifier } from '../../shared/documents/configuration/fields.ts';
import { MAX_NODES } from '../../shared/documents/configuration/quorum.ts';
import {
  maxUncosignedSchema,
  verifierKeyBytes,
  verifierKeyName,
  verifierKeySchema,
} from '../../shared/documents/configuration/witnesses.ts';
import { certificatesPem, cidr, hostName, port } from './fields.ts';

const MAX_GATEWAYS = 16;
const MAX_SERVERS = 8;
const MAX_WITNESSES = 32;
const POSTGRES_PORT = 5432;

/** PostgreSQL of somebody who runs it already: a role and a database of each node's own (`databaseOf`). */
const postgresSchema = z.strictObject({
  /** Name of the server, which its certificate must have. */
  host: hostName,
  port: port.default(POSTGRES_PORT),
  /** Addresses of the server: the only ones that hosts may reach at this port. */
  cidr,
  /** Authorities that may vouch for the server, in PEM; no others are believed. */
  ca: certificatesPem,
});

const natsSchema = z
  .strictObject({
    /** Servers of one cluster, by the names in their certificates. */
    servers: z
      .array(
        z
          .string()
          .max(300)
          .regex(/^tls:\/\/[a-z][a-z0-9.-]{0,252}:[1-9][0-9]{0,4}$/, {
            error: 'expected tls://host:port, with the name that is in the certificate of the server',
          }),
      )
      .min(1)
      .max(MAX_SERVERS)
      .refine(areUnique, { error: 'a server is named twice' }),
    /** Addresses of the servers: the only ones that hosts may reach at their port. */
    cidr,
    /** Authorities that may vouch for the servers, in PEM; no others are believed. */
    ca: certificatesPem,
    /** Servers that keep each datagram. */
    replicas: z.union([z.literal(1), z.literal(3), z.literal(5)]).default(3),
    /** Whether the servers ask for a user's JWT and seed beside the certificate. */
    credentials: z.boolean().default(false),
  })
  .refine(({ servers }) => new Set(servers.map(natsPortOf)).size === 1, {
    path: ['servers'],
    error: 'expected all servers at one port',
  });

const witnessesSchema = z
  .strictObject({
    /** How many of them must cosign. */
    threshold: z.int().min(1).max(MAX_WITNESSES),
    /** Witnesses, by the addresses at which parents ask them and the verifier keys that nodes believe. */
    servers: z
      .array(z.strictObject({ url: z.url({ protocol: /^https?$/ }).max(2048), key: verifierKeySchema }))
      .min(1)
      .max(MAX_WITNESSES)
      .refine((list) => areUnique(list.map(({ key }) => verifierKeyName(key))), {
        error: 'a witness is named twice',
      })
      .refine((list) => areUnique(list.map(({ key }) => verifierKeyBytes(key))), {
        error: 'a witness key is given twice',
      }),
    maxUncosignedSeconds: maxUncosignedSchema,
    /** Addresses of witnesses at another port than 443: the only ones that hosts may reach there; null: there are none. */
    cidr: cidr.nullable().default(null),
  })
  .refine(({ servers, threshold }) => threshold <= servers.length, {
    path: ['threshold'],
    error: 'greater than the number of witnesses',
  });

/** Schema of the optional parts of a vault. Secrets of theirs are in no file: `vault populate` puts them. */
export const partsSchema = z.strictObject({
  /** Where parents keep sealed records: on their hosts, or in PostgreSQL. */
  store: z
    .union([z.literal('sqlite'), z.strictObject({ postgres: postgresSchema })], {
      error: 'expected sqlite, or postgres with host, port, cidr and ca',
    })
    .default('sqlite'),
  /** Servers that carry datagrams between parents; null: parents reach each other directly. */
  nats: natsSchema.nullable().default(null),
  /** Outside witnesses of every node's log, from the configuration on that follows the first start; null: none. */
  witnesses: witnessesSchema.nullable().default(null),
  /** How many of the other nodes must cosign each node's log, from the second configuration on; null: none has to. */
  peerWitnesses: z
    .strictObject({
      threshold: z
        .int()
        .min(1)
        .max(MAX_NODES - 1),
      maxUncosignedSeconds: maxUncosignedSchema,
    })
    .nullable()
    .default(null),
  /** Doors for existing clients; each acts as one of `clients`. */
  gateways: entryList(
    z.strictObject({ id: identifier, protocol: z.enum(['kms', 'tezos', 'ethereum']), client: identifier }),
    MAX_GATEWAYS,
  ).default([]),
});
type Parts = z.infer<typeof partsSchema>;
/** PostgreSQL of a vault. */
export type PostgresPart = z.infer<typeof postgresSchema>;

/** Finds where a vault's PostgreSQL is; null where hosts keep records themselves. */
export function postgresOf({ store }: Parts): PostgresPart | null {
  return store === 'sqlite' ? null : store.postgres;
}

/** Port that security groups let hosts reach everywhere, as that of AWS itself. */
const HTTPS_PORT = 443;

/** Finds ports other than 443 at which hosts ask outside witnesses. */
export function witnessPortsOf({ witnesses }: Parts): readonly number[] {
  const ports = (witnesses?.servers ?? []).map(({ url }) => portOf(new URL(url)));
  return [...new Set(ports)].filter((port) => port !== HTTPS_PORT);
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? HTTPS_PORT : 80;
}

/** Port of a NATS server by its URL. */
export function natsPortOf(server: string): number {
  return Number(server.slice(server.lastIndexOf(':') + 1));
}
