export {
  assertSound,
  checkVault,
  findingsOf,
  sortFindings,
  VAULT_SEVERITIES,
  type VaultFinding,
  type VaultFindingCode,
  type VaultSeverity,
} from './checks/index.ts';
export {
  type ConfigurationInputs,
  deriveConfiguration,
  encodeConfiguration,
  ORDER_ID,
} from './derive/configuration.ts';
export { deriveManifest, measureManifest, type NodeKeys, readNodeManifest } from './derive/manifest.ts';
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
export { collectJoins, JOIN_FORMAT, type JoinFile, MAX_JOIN_BYTES, parseJoin } from './join.ts';
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
export { renderVaultFile, type RoleAnswers, type VaultAnswers } from './template.ts';
export { type DerivedStack, deriveStacks } from './derive/stacks.ts';
export { renderVaultFiles } from './sheets/files.ts';
export { deriveRunSheet, MAX_COMMANDS, type RunSheet, type SheetStep } from './sheets/run-sheet.ts';
export { type AccountView, checkAccount, type SeenKey, type SeenStack } from './checks/account.ts';
export { createAccountView, type ViewClients } from './checks/account-view.ts';
