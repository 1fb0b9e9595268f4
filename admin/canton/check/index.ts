import type { IdentityPolicy } from '../../../attestation/key-policy/index.ts';
import type { Description, KmsValidator, Validator } from '../description.ts';
import { CantonError } from '../errors.ts';
import { bareId, findForeignKeys, findSharedKeys } from '../keys.ts';
import { CHECK_SEVERITIES, type CheckFinding, type Report } from './finding.ts';
import { readFragments } from './fragments.ts';
import { checkIamPolicies } from './iam.ts';
import type { ClusterObjects } from './objects.ts';
import { checkSettings } from './settings.ts';
import { reportUnseenPolicy, reportUnseenVariables } from './unseen.ts';
import { readVariables } from './variables.ts';
import { checkWorkload, findWorkload } from './workload.ts';

/**
 * Judges what runs in a cluster by a description of its validators.
 *
 * @param policies IAM policies of the validators' roles, by the validators' names
 * @returns findings, the worst first, then in the order of the description
 * @throws CantonError CANTON_VALIDATOR_UNKNOWN where a policy is for a validator that the description lacks
 */
export function checkDescription(
  description: Description,
  objects: ClusterObjects,
  policies: ReadonlyMap<string, readonly IdentityPolicy[]>,
): CheckFinding[] {
  const { validators, environment } = description;
  const findings: CheckFinding[] = [];
  for (const name of policies.keys()) {
    if (!validators.some((validator) => validator.name === name))
      throw new CantonError('CANTON_VALIDATOR_UNKNOWN', 'a policy is for a validator that is not described', {
        name,
      });
  }
  const reportFor =
    (validator: string): Report =>
    (code, severity, path, text, advice) =>
      findings.push({ code, severity, validator, path, text, advice });
  checkKeys(validators, reportFor);
  for (const validator of validators) {
    const report = reportFor(validator.name);
    const found = findWorkload(validator, objects, report);
    if (found !== undefined) {
      reportUnseenVariables(found.container, validator.namespace, objects, report);
      const variables = readVariables(found.container, validator.namespace, objects);
      const settings = readFragments(variables, report);
      if (settings !== undefined) checkSettings(settings, validator, environment.production, report);
      if (validator.kms)
        checkWorkload(validator, { ...found, variables, objects }, environment.production, report);
    }
    const own = policies.get(validator.name);
    if (validator.kms && own !== undefined) checkIamPolicies(validator, own, report);
    else if (validator.kms) reportUnseenPolicy(validator, report);
  }
  const rank = ({ severity }: CheckFinding) => CHECK_SEVERITIES.indexOf(severity);
  return findings.toSorted((one, other) => rank(one) - rank(other));
}

function checkKeys(validators: readonly Validator[], reportFor: (validator: string) => Report): void {
  for (const named of findSharedKeys(validators)) {
    const places = named.map(({ validator, field }) => `${validator}.${field}`);
    const [first] = named;
    if (first === undefined) continue;
    reportFor(first.validator)(
      'KEY_OF_TWO_VALIDATORS',
      'error',
      places.join(', '),
      `one key, ${bareId(first.key.id)}, is named more than once`,
      'Give each validator, and each purpose, a key of its own.',
    );
  }
  for (const { validator, field, region } of findForeignKeys(validators))
    reportFor(validator)(
      'KEY_IN_OTHER_REGION',
      'error',
      field,
      `the key is in ${region}, which the validator does not use`,
      'Name the Region of the key, or a key of the Region.',
    );
  const atAws = validators.filter(
    (validator): validator is KmsValidator =>
      validator.kms && validator.kind === 'splice' && validator.provider.type === 'aws',
  );
  const places = Map.groupBy(atAws, ({ provider }) => `${provider.account}/${provider.region}`);
  for (const [place, [first, ...others]] of places) {
    if (first === undefined || others.length === 0) continue;
    reportFor(first.name)(
      'KEY_NAMES_ALIKE',
      'warning',
      place,
      `keys of ${[first, ...others].map(({ name }) => name).join(', ')} are all described as namespace, signing and encryption there`,
      'Use an account for each, and note the key ids in the description.',
    );
  }
}
