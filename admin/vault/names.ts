import type { VaultDocument } from './document.ts';

type Named = Pick<VaultDocument, 'namespace' | 'environment'>;

/** Beginning of every name that the vault makes in AWS. */
export function vaultPrefix({ namespace, environment }: Named): string {
  return `${namespace}-${environment}`;
}

/** Names of the vault's CloudFormation stacks. */
export const stackNames = {
  /** Host roles, bucket of artifacts, security groups; infrastructure's account, stage 1. */
  infrastructure: (vault: Named): string => `${vaultPrefix(vault)}-infrastructure`,
  /** KMS stack of one node; its admin's own account, stage 1. */
  node: (vault: Named, node: number): string => `${vaultPrefix(vault)}-node-${node}`,
  /** Parent host of one node; infrastructure's account, stage 2. */
  host: (vault: Named, node: number): string => `${vaultPrefix(vault)}-host-${node}`,
} as const;
