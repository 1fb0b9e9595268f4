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
export { diffKeyPolicies, type PermissionChange, type PolicyDifference } from './diff.ts';
export { SEVERITIES, type Finding, type FindingCode, type Severity } from './finding.ts';
export {
  GATE_RECORD_FORMAT,
  GATE_RECORD_TYPE,
  gateKeyPolicy,
  type GateDecision,
  type GateOptions,
} from './gate.ts';
export { isAtLeast, lintKeyPolicy } from './lint.ts';
export type { LintOptions } from './lint-scope.ts';
export { renderKeyPolicy, type AdmittedImage, type RenderOptions } from './render.ts';
