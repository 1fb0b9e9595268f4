import { PASSWORD_SECRET } from '../../../shared/documents/encryption-context.ts';
import { type Gateway, GATEWAY_SECRETS } from '../derive/gateways.ts';
import { databaseOf, PART_SECRETS, walletPrefix } from '../derive/part-secrets.ts';
import type { VaultDocument } from '../document.ts';
import { postgresOf } from '../parts.ts';
import { type Role, roleOfNode } from '../roles.ts';
import { PopulateError } from './errors.ts';
import {
  assertNatsCredentials,
  assertNatsIdentity,
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
  const node = document.nodes.find((candidate) => roleOfNode(candidate.node) === partition);
  if (node === undefined) {
    const { account } = document.infrastructure;
    const entries = walletEntries(document);
    return { partition, account, region: document.region, prefix: walletPrefix(document), entries };
  }
  const { account, region = document.region } = node;
  const prefix = `${namespace}/${environment}/${partition}/`;
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
    ...document.nodes.flatMap(({ node }) => [
      ...(postgresOf(parts) === null ? [] : [postgresPassword(document, node)]),
      ...(parts.nats === null ? [] : [natsIdentity(node)]),
      ...(parts.nats?.credentials === true ? [natsCredentials(node)] : []),
    ]),
    ...parts.gateways.flatMap(gatewayEntries),
  ];
}

/** Password of a node's own role: hosts that share a role could destroy each other's records. */
function postgresPassword(document: VaultDocument, node: number): CatalogueEntry {
  const role = databaseOf(document, node);
  return {
    name: PART_SECRETS.postgres(node),
    summary: `Password of the role ${role} in PostgreSQL, which owns the database of the same name: sealed records of node ${node}.`,
    kind: 'generated',
    isNeeded: true,
    form: 'text',
    example: ['generate: true'],
    afterRotation: `Give the role ${role} the new password (psql: \\password ${role}), then restart the parent of node ${node}. Until then its new connections are refused.`,
    assertFit: assertPassword,
  };
}

function natsIdentity(node: number): CatalogueEntry {
  return {
    name: PART_SECRETS.natsIdentity(node),
    summary: `Certificate that the parent of node ${node} shows to the NATS servers, and its private key, one after the other in PEM (docs/peers.md).`,
    kind: 'given',
    isNeeded: true,
    form: 'text',
    example: [`file: nats-node-${node}.pem`],
    afterRotation: `Restart the parent of node ${node}, before the former certificate ends: with an expired one it reaches no other node.`,
    assertFit: assertNatsIdentity,
  };
}

function natsCredentials(node: number): CatalogueEntry {
  return {
    name: PART_SECRETS.natsCredentials(node),
    summary: `File of credentials of the NATS user of node ${node} (nsc, .creds).`,
    kind: 'given',
    isNeeded: true,
    form: 'text',
    example: [`command: [op, read, "op://vault/nats/node-${node}.creds"]`],
    afterRotation: `Restart the parent of node ${node}, and then revoke the former user at NATS: revoked first, the node reaches no other.`,
    assertFit: assertNatsCredentials,
  };
}

/** What a door reads in this account: nothing of its client, whose key is made where the door runs. */
function gatewayEntries(gateway: Gateway): CatalogueEntry[] {
  const { id, protocol } = gateway;
  if (protocol !== 'kms') return [];
  return [
    {
      name: GATEWAY_SECRETS.secretAccessKey(gateway),
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
