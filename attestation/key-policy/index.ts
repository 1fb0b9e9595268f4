export { KeyPolicyError, type KeyPolicyErrorCode } from './errors.ts';
export {
  parseIdentityPolicy,
  parseKeyPolicy,
  type IdentityPolicy,
  type KeyPolicy,
  type KeyPolicyStatement,
} from './document.ts';
export {
  evaluateIdentityPolicies,
  evaluateKeyPolicy,
  type Decision,
  type DecisionReason,
  type IdentityDecision,
  type KeyRequest,
} from './evaluate.ts';
export type { Caller } from './principal.ts';
export type { RequestContext } from './pattern.ts';
export { attestationContext, buildRequestContext, encryptionContext } from './request-context.ts';
