export {
  type AccumulationChange,
  Accumulations,
  ACCUMULATIONS_TABLE,
  type Charge,
} from './accumulations/index.ts';
export { compareConfigurations, type ConfigurationChange, describeChanges } from './comparison.ts';
export { type ApprovalsNeed, decide, type Decision, type Need, type PolicyRefusal } from './decision.ts';
export { describeCredential, describeKey, describeRule } from './description.ts';
export { explain, type RuleExplanation } from './explanation.ts';
export type { Approval } from './matching/consent.ts';
export { type Policy, preparePolicy } from './policy.ts';
export { describeAmount } from './coins.ts';
export { describeReason, type Mismatch } from './reasons.ts';
export { type Consent, isKeyOperation, type KeyOperation, type PolicyRequest } from './request.ts';
export { createPolicyState, type PolicyState, type PolicyTime } from './state.ts';
