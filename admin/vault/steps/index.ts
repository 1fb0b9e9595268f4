export { firstCeremony, stepsOf } from './ceremony.ts';
export type { AttestedNode, AwsClients, Journal, ReleaseFiles, StepContext } from './context.ts';
export { StepError, type StepErrorCode } from './errors.ts';
export { applyRole, planRole, type PlannedStep, type RunEvent, type RunOutcome } from './runner.ts';
export { describeStatus, type VaultStatus } from './status.ts';
export type { Ceremony, Step, StepState } from './step.ts';
