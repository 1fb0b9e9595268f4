export {
  type AccumulationChange,
  Accumulations,
  ACCUMULATIONS_TABLE,
  type Charge,
} from './accumulations/index.ts';
export { compareConfigurations, type ConfigurationChange, describeChanges } from './comparison.ts';
export { type ApprovalsNeed, decide, type Decision, type Need, type PolicyRefusal } from './decision.ts';
export { describeCredential, describeKey, describePool, describeRule } from './description.ts';
export { explain, type RuleExplanation } from './explanation.ts';
export type { Approval } from './matching/consent.ts';
export { type GrantedNames, listGrants } from './grants.ts';
export { type Policy, preparePolicy, seesPool } from './policy.ts';
export { describeAmount } from './coins.ts';
export { describeReason, type Mismatch } from './reasons.ts';
export {
  type BackupCoverage,
  type Consent,
  isKeyOperation,
  isPlainOperation,
  type KeyAdministration,
  type KeyOperation,
  makeRequest,
  type PolicyRequest,
  type PoolKeyKind,
} from './request.ts';
export { createPolicyState, type PolicyState, type PolicyTime } from './state.ts';
