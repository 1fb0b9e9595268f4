export { FailedRequest, PolicyError, RefusedRequest } from './errors.ts';
export type { CarriedOut, Waiting } from './carry-out.ts';
export { type ForwardedRequest, forwardRequest } from './forwarded-request.ts';
export { type CeremonyParts, createDecisionLog, type DecisionLog } from './decision-log.ts';
export type { PoolOperations } from './pool-operations.ts';
export { createSigningPipeline, type SigningPipeline } from './pipeline.ts';
export type { IndexedSignature } from './signatures.ts';
export { type DecisionState, restoreDecisionState } from './state.ts';
export { type RecoveryContext, type RecoveryOperations } from './recovery-operations.ts';
