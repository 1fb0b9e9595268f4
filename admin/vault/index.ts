export {
  digestVault,
  type LocatedVault,
  locateVault,
  MAX_VAULT_BYTES,
  parseVault,
  VAULT_FORMAT,
  type VaultDocument,
  type VaultNode,
} from './document.ts';
export { VaultError, type VaultErrorCode } from './errors.ts';
export { stackNames, vaultPrefix } from './names.ts';
export {
  describeRole,
  describeRoles,
  nodeOfRole,
  type Role,
  type RoleDescription,
  roleOfNode,
  rolesOf,
} from './roles.ts';
