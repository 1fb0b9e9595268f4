import type { CheckFinding } from '../check/finding.ts';
import { checkDescription } from '../check/index.ts';
import type { ClusterObjects } from '../check/objects.ts';
import type { Description, Validator } from '../description.ts';
import { assertOwnKeys } from '../keys.ts';
import { planMigration } from './migration.ts';
import type { PlanStep } from './step.ts';
import { noteNewKeys, purposesOf, rollOut, rotate } from './steps.ts';

/** Plan for one validator. `done`: nothing is left to do; `off`: KMS is off, and nothing is done. */
export interface ValidatorPlan {
  readonly validator: string;
  readonly state: 'done' | 'migrate' | 'new' | 'off' | 'repair' | 'rotate';
  readonly summary: string;
  /** What is there, by what the description and the cluster say. */
  readonly present: readonly string[];
  readonly limits: readonly string[];
  readonly steps: readonly PlanStep[];
}

/**
 * Plans, for each validator, what leads from what is there to what the description says.
 *
 * @param objects the cluster as it is; undefined where nobody has looked
 * @throws CantonError CANTON_KEY_SHARED, CANTON_KEY_REGION
 */
export function planDescription(description: Description, objects?: ClusterObjects): ValidatorPlan[] {
  assertOwnKeys(description.validators);
  const findings = objects === undefined ? undefined : checkDescription(description, objects, new Map());
  return description.validators.map((validator) =>
    planValidator(
      validator,
      findings?.filter((finding) => finding.validator === validator.name && finding.severity === 'error'),
    ),
  );
}

function planValidator(validator: Validator, errors: readonly CheckFinding[] | undefined): ValidatorPlan {
  const plan = (
    state: ValidatorPlan['state'],
    summary: string,
    steps: readonly PlanStep[],
    limits: readonly string[] = [],
  ) => ({
    validator: validator.name,
    state,
    summary,
    present: describePresent(validator, errors),
    limits,
    steps,
  });
  if (!validator.kms)
    return plan('off', 'KMS is off: its keys are in its database, and nothing is rendered', []);
  const what = validator.mode === 'keys' ? 'its keys in KMS' : 'its keys encrypted under a key in KMS';
  if (validator.keysNow === 'none') {
    const isThere = errors?.length === 0;
    return plan('new', `new: it starts with ${what}`, [
      ...(isThere ? [] : rollOut(validator)),
      noteNewKeys(validator),
    ]);
  }
  if (validator.keysNow === 'database') {
    const { steps, limits } = planMigration(validator);
    return plan('migrate', `its keys leave the database: ${validator.migration}`, steps, limits);
  }
  const steps = rotate(validator);
  if (steps.length > 0)
    return plan('rotate', `keys are rotated: ${Object.keys(validator.rotateTo).join(', ')}`, steps, [
      'The root namespace key is not rotated: no command of Canton does that.',
    ]);
  if (errors !== undefined && errors.length > 0)
    return plan(
      'repair',
      `${what}, and the cluster differs: ${[...new Set(errors.map(({ code }) => code))].join(', ')}`,
      rollOut(validator),
    );
  return plan('done', `${what}: nothing is left to do`, []);
}

function describePresent(validator: Validator, errors: readonly CheckFinding[] | undefined): string[] {
  const cluster =
    errors === undefined
      ? 'nobody has looked at the cluster (--objects)'
      : errors.length === 0
        ? 'the cluster is as it is described'
        : `the cluster has ${errors.length} errors: holdfast canton check`;
  return [...describeKeys(validator), cluster];
}

function describeKeys(validator: Validator): string[] {
  if (!validator.kms) return [];
  if (validator.wrapperKey !== undefined) return [`wrapper key ${validator.wrapperKey.id}`];
  return purposesOf(validator).flatMap((purpose) => {
    const key = validator.keys[purpose];
    return key === undefined ? [] : [`${purpose} ${key.id}`];
  });
}
