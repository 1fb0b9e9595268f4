import { partitionOf } from '../../../shared/aws/partitions.ts';
import type { VaultDocument } from '../document.ts';

/** Secrets of the wallet's partition that the parent of one node reads by the role of its host. */
export const PART_SECRETS = {
  /** Password of the node's role in PostgreSQL. */
  postgres: (node: number) => `postgres-node-${node}-password`,
  /** Certificate that the node shows to NATS servers, with its private key, in PEM. */
  natsIdentity: (node: number) => `nats-node-${node}-identity`,
  /** JWT and seed of the node's user, where the servers ask for one besides. */
  natsCredentials: (node: number) => `nats-node-${node}-credentials`,
} as const;
export type PartSecret = keyof typeof PART_SECRETS;

/** What stands before the names of the wallet's secrets in AWS Secrets Manager, with its slash. */
export function walletPrefix({ namespace, environment }: VaultDocument): string {
  return `${namespace}/${environment}/wallet/`;
}

/** Name of a secret in AWS Secrets Manager. */
export function partSecretName(vault: VaultDocument, secret: PartSecret, node: number): string {
  return `${walletPrefix(vault)}${PART_SECRETS[secret](node)}`;
}

/** Names a secret as settings of a parent do. */
export function partSecretReference(vault: VaultDocument, secret: PartSecret, node: number): string {
  return `secretsmanager:${walletSecretArn(vault, PART_SECRETS[secret](node))}`;
}

/**
 * ARN of a secret of the wallet without the six random characters at its end: it is looked for in the vault's Region,
 * whichever Region the reader's other settings have.
 */
export function walletSecretArn(vault: VaultDocument, name: string): string {
  const { region, infrastructure } = vault;
  const partition = partitionOf(region)?.id ?? 'aws';
  return `arn:${partition}:secretsmanager:${region}:${infrastructure.account}:secret:${walletPrefix(vault)}${name}`;
}

/**
 * Role and database of a node in PostgreSQL: both have this name, of 63 characters at most. Hyphens become `_`, so two of them
 * part namespace and environment: `vault check` refuses names with two hyphens in a row, or one at an end (`NAME_UNFIT`), and
 * no other vault has the same name.
 */
export function databaseOf({ namespace, environment }: VaultDocument, node: number): string {
  const [first, second] = [namespace, environment].map((label) => label.replaceAll('-', '_'));
  return `holdfast_${first}__${second}_node_${node}`;
}
