export {
  decide,
  type Decision,
  type Mismatch,
  type Need,
  type PolicyRefusal,
  type PolicyRequest,
} from './decision.ts';
export { type Policy, preparePolicy } from './policy.ts';
export { createRateLimits, type RateLimits } from './rate-limits.ts';
