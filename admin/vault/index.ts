export {
  assertSound,
  checkVault,
  partFindings,
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
} from './derive/configuration.ts';
export { deriveManifest, measureManifest, type NodeKeys, readNodeManifest } from './derive/manifest.ts';
export {
  digestVault,
  type LocatedVault,
  locateVault,
  MAX_VAULT_BYTES,
  parseVault,
  type VaultDocument,
  type VaultNode,
} from './document.ts';
export { VaultError, type VaultErrorCode } from './errors.ts';
export { collectJoins, JOIN_FORMAT, type JoinFile, MAX_JOIN_BYTES, parseJoin } from './join.ts';
export { postgresOf } from './parts.ts';
export { findPlaces, type VaultPlaces } from './profiles.ts';
export { stackNames, vaultPrefix } from './names.ts';
export {
  describeRole,
  describeRoles,
  type Role,
  type RoleDescription,
  roleOfNode,
  rolesOf,
} from './roles.ts';
export { type LostKey, renderVaultFile, type RoleAnswers, type VaultAnswers } from './template.ts';
export { type DerivedStack, deriveStacks } from './derive/stacks.ts';
export { renderVaultFiles } from './sheets/files.ts';
export { CONSOLE_TEMPLATE } from './sheets/files-of-people.ts';
export { MAX_COMMANDS, type Procedure, type ProcedureName, type SheetStep } from './sheets/procedure.ts';
export { deriveRunSheet, type RunSheet } from './sheets/run-sheet.ts';
export { type SheetRole, sheetRolesOf } from './sheets/sheet-role.ts';
export { type AccountView, checkAccount, type SeenKey, type SeenStack } from './checks/account.ts';
export { createAccountView, type ViewClients } from './checks/account-view.ts';
