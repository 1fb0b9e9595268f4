import { PASSWORD_SECRET } from '../../../shared/documents/encryption-context.ts';
import type { VaultDocument } from '../document.ts';
import { type Role, roleOfNode } from '../roles.ts';
import { PopulateError } from './errors.ts';
import {
  assertClientKey,
  assertNatsCredentials,
  assertNodeCiphertext,
  assertPassword,
  type FitCheck,
} from './fit.ts';

/** Secrets that belong together: those of one node, in its admin's account, or those of the wallet, in infrastructure's. */
export type Partition = 'wallet' | Role;

/** One secret of a partition. */
export interface CatalogueEntry {
  /** Name after the partition's prefix. */
  readonly name: string;
  /** What it is, in one sentence. */
  readonly summary: string;
  /** How it gets its value: made by the tool, once; or given by a person. */
  readonly kind: 'generated' | 'given';
  /** False for a secret that is left out where nothing gives its value. */
  readonly isNeeded: boolean;
  /** Kept as text, or as bytes. */
  readonly form: 'text' | 'binary';
  /** Source that the template shows. */
  readonly example: readonly string[];
  /** What a person does after another value is in force, and what breaks until then. */
  readonly afterRotation: string;
  /** Asserts that a value is of the form that its use needs. */
  readonly assertFit: FitCheck;
}

/** Where a partition's secrets are, and which they are. */
export interface PartitionDescription {
  readonly partition: Partition;
  readonly account: string;
  readonly region: string;
  /** What stands before their names in AWS Secrets Manager, with its slash. */
  readonly prefix: string;
  readonly entries: readonly CatalogueEntry[];
}

/** Names the partitions of a vault. */
export function partitionsOf({ nodes }: VaultDocument): readonly Partition[] {
  return ['wallet', ...nodes.map(({ node }) => roleOfNode(node))];
}

/** Describes a partition that somebody has named. @throws PopulateError POPULATE_PARTITION_UNKNOWN */
export function describePartition(document: VaultDocument, name: string): PartitionDescription {
  const partition = partitionsOf(document).find((known) => known === name);
  if (partition === undefined) {
    throw new PopulateError('POPULATE_PARTITION_UNKNOWN', 'the vault has no such partition', {
      known: partitionsOf(document),
    });
  }
  const { namespace, environment } = document;
  const prefix = `${namespace}/${environment}/${partition}/`;
  const node = document.nodes.find((candidate) => roleOfNode(candidate.node) === partition);
  if (node === undefined) {
    const { account } = document.infrastructure;
    return { partition, account, region: document.region, prefix, entries: walletEntries(document) };
  }
  const { account, region = document.region } = node;
  return { partition, account, region, prefix, entries: [masterPassword] };
}

/** Finds a secret of a partition. @throws PopulateError POPULATE_NAME_UNKNOWN */
export function findEntry({ entries }: PartitionDescription, name: string): CatalogueEntry {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  throw new PopulateError('POPULATE_NAME_UNKNOWN', 'the partition has no secret of this name', {
    name,
    known: entries.map((candidate) => candidate.name),
  });
}

const masterPassword: CatalogueEntry = {
  name: PASSWORD_SECRET,
  summary:
    'Ciphertext of the Encryptor Master Password, of "holdfast secrets generate". Only where the configuration says "supplied": otherwise the enclave makes its own, and nothing is put here.',
  kind: 'given',
  isNeeded: false,
  form: 'binary',
  example: ['file: encryptor-master-password'],
  afterRotation:
    'The node opens its store with no other password than the one that sealed it: rotate only before the first start, or with a new store. Then restart the enclave.',
  assertFit: assertNodeCiphertext,
};

function walletEntries(document: VaultDocument): CatalogueEntry[] {
  const { parts } = document;
  return [
    ...(parts.store === 'postgres' ? [postgresPassword] : []),
    ...(parts.nats === null ? [] : [natsCredentials]),
    ...parts.gateways.flatMap((gateway) => gatewayEntries(document, gateway)),
  ];
}

const postgresPassword: CatalogueEntry = {
  name: 'postgres-password',
  summary: 'Password of the database role that the parents keep sealed records with.',
  kind: 'generated',
  isNeeded: true,
  form: 'text',
  example: ['generate: true'],
  afterRotation:
    'Give the database role the new password (ALTER ROLE … PASSWORD), then restart the parent of each node, one after the other. Until then new connections of parents are refused.',
  assertFit: assertPassword,
};

const natsCredentials: CatalogueEntry = {
  name: 'nats-credentials',
  summary:
    'File of credentials of the NATS account that carries datagrams between the parents (nsc, .creds).',
  kind: 'given',
  isNeeded: true,
  form: 'text',
  example: ['command: [op, read, "op://vault/nats/parents.creds"]'],
  afterRotation:
    'Restart the parent of each node, one after the other, and then revoke the former user at NATS: revoked first, no node reaches another.',
  assertFit: assertNatsCredentials,
};

type Gateway = VaultDocument['parts']['gateways'][number];

function gatewayEntries({ clients }: VaultDocument, { id, protocol, client }: Gateway): CatalogueEntry[] {
  const publicKey = clients.find((candidate) => candidate.id === client)?.publicKey ?? '';
  const key: CatalogueEntry = {
    name: `gateway-${id}-client-key`,
    summary: `Private key of the client ${client}, as which the door ${id} asks the nodes: Ed25519 in PEM, the one whose public key vault.yaml names.`,
    kind: 'given',
    isNeeded: true,
    form: 'text',
    example: [`file: ${client}.pem`],
    afterRotation: `Nodes know the new key first by a configuration that names it; then restart the door ${id}. In the other order every request of the door is refused.`,
    assertFit: assertClientKey(publicKey),
  };
  if (protocol !== 'kms') return [key];
  return [
    key,
    {
      name: `gateway-${id}-secret-access-key`,
      summary: `Secret access key with which clients of AWS KMS sign their requests to the door ${id}.`,
      kind: 'generated',
      isNeeded: true,
      form: 'text',
      example: ['generate: true'],
      afterRotation: `Restart the door ${id}, and give its clients the new key: requests signed with the former one are refused from then on.`,
      assertFit: assertPassword,
    },
  ];
}
