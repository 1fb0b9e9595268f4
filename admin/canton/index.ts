export { CantonError } from './errors.ts';
export { type Description, kmsValidators, MAX_DESCRIPTION_BYTES, parseDescription } from './description.ts';
export { renderDescription } from './render/index.ts';
export { checkDescription } from './check/index.ts';
export { CHECK_SEVERITIES, type CheckFinding } from './check/finding.ts';
export { type ClusterObjects, joinObjects, parseObjects } from './check/objects.ts';
export { planDescription, type ValidatorPlan } from './plan/index.ts';
