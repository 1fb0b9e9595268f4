export { KeyPolicyError } from './errors.ts';
export {
  parseIdentityPolicy,
  parseKeyPolicy,
  parseTrustPolicy,
  type IdentityPolicy,
  type KeyPolicy,
} from './document.ts';
export {
  evaluateIdentityPolicies,
  evaluateKeyPolicy,
  type Evaluation,
  type IdentityDecision,
} from './evaluate.ts';
export { evaluateResourcePolicy, type ResourceDecision, type ResourceRequest } from './resource-policy.ts';
export type { Caller, PolicyCaller } from './principal.ts';
export type { RequestContext } from './pattern.ts';
export { attestationContext, buildRequestContext, encryptionContext } from './request-context.ts';
export { diffKeyPolicies, type PermissionChange } from './diff.ts';
export { SEVERITIES, type Finding, type Severity } from './finding.ts';
export { gateKeyPolicy, type GateDecision, type GateException, type GateOptions } from './gate.ts';
export { GATE_RECORD_FORMAT, GATE_RECORD_TYPE, type GateRecord } from './gate-record.ts';
export { assumeKey, type AssumedKey } from './assumed-key.ts';
export { isAtLeast, lintKeyPolicy } from './lint.ts';
export type { LintOptions } from './lint-scope.ts';
export {
  renderClosedKeyPolicy,
  renderKeyPolicy,
  renderSupplyStatement,
  type AdmittedImage,
  type RenderOptions,
} from './render.ts';
