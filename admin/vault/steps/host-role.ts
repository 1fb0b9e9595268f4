import { partitionOf } from '../../../shared/aws/partitions.ts';
import { type VaultDocument, vaultPrefix } from '../index.ts';

/** Names the role of a node's host; its stack gives it this name, so that key policies can be written before. */
export function hostRoleOf(vault: VaultDocument, node: number): string {
  const partition = partitionOf(vault.region)?.id ?? 'aws';
  return `arn:${partition}:iam::${vault.infrastructure.account}:role/${vaultPrefix(vault)}-node-${node}-parent`;
}
