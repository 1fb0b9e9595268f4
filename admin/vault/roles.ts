import type { VaultDocument } from './document.ts';
import { VaultError } from './errors.ts';

/** Who does a step of the ceremony: the infrastructure admin, or the admin of one node. */
export type Role = 'infrastructure' | `node-${number}`;

/** Roles of a vault, in the order of the ceremony: infrastructure first, then nodes by number. */
export function rolesOf({ nodes }: VaultDocument): readonly Role[] {
  return ['infrastructure', ...nodes.map(({ node }) => roleOfNode(node))];
}

/** Names the role of the admin of one node. */
export function roleOfNode(node: number): Role {
  return `node-${node}`;
}

/** Number of the node whose admin a role is; undefined for infrastructure. */
export function nodeOfRole(role: Role): number | undefined {
  return role === 'infrastructure' ? undefined : Number(role.slice('node-'.length));
}

/** One role of the vault, as vault.yaml describes it. */
export interface RoleDescription {
  readonly role: Role;
  readonly account: string;
  /** Region of the role's own account: a node's may differ from the vault's. */
  readonly region: string;
  readonly admins: readonly string[];
  readonly statementKey: string;
}

/** Describes a role that somebody has named. @throws VaultError VAULT_ROLE_UNKNOWN */
export function describeRole(document: VaultDocument, name: string): RoleDescription {
  const role = rolesOf(document).find((known) => known === name);
  if (role === undefined) {
    throw new VaultError('VAULT_ROLE_UNKNOWN', 'vault.yaml has no such role', { known: rolesOf(document) });
  }
  const number = nodeOfRole(role);
  const node = document.nodes.find((entry) => entry.node === number);
  const { account, admins, statementKey } = node ?? document.infrastructure;
  return { role, account, region: node?.region ?? document.region, admins, statementKey };
}

/** Describes every role of a vault, in the order of the ceremony. */
export function describeRoles(document: VaultDocument): readonly RoleDescription[] {
  return rolesOf(document).map((role) => describeRole(document, role));
}
