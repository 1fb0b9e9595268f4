export { compareConfigurations, type ConfigurationChange, describeChanges } from './comparison.ts';
export {
  decide,
  type Decision,
  type Mismatch,
  type Need,
  type PolicyRefusal,
  type PolicyRequest,
} from './decision.ts';
export { describeKey, describeRule } from './description.ts';
export { type Policy, preparePolicy } from './policy.ts';
export { createRateLimits, type RateLimits } from './rate-limits.ts';
