import { stringify } from 'yaml';
import { type Description, kmsValidators, type Validator } from '../description.ts';
import { fragmentsOf } from '../fragments.ts';
import { assertOwnKeys } from '../keys.ts';
import { renderHelmValues } from './helm-values.ts';
import { renderIamPolicy } from './iam-policy.ts';
import { renderServiceAccount, renderWorkloadPatch } from './manifests.ts';

/**
 * Renders everything that the validators of a description need, as files by their paths: those of one validator are in a
 * folder of its name. The same description gives the same bytes; a contradiction anywhere gives nothing at all.
 *
 * @throws CantonError CANTON_KEY_SHARED, CANTON_KEY_REGION
 */
export function renderDescription(description: Description): ReadonlyMap<string, string> {
  assertOwnKeys(description.validators);
  const files = new Map<string, string>();
  for (const validator of description.validators) {
    files.set(`${validator.name}/operator.env`, renderVariables(validator, description.environment));
  }
  for (const validator of kmsValidators(description)) {
    const add = (name: string, content: string) => files.set(`${validator.name}/${name}`, content);
    add('service-account.yaml', toYaml(renderServiceAccount(validator)));
    if (validator.kind === 'splice') add('values.yaml', toYaml(renderHelmValues(validator)));
    else add('workload-patch.yaml', toYaml(renderWorkloadPatch(validator)));
    for (const { variable, text } of fragmentsOf(validator)) add(`fragments/${variable}.conf`, text);
    if (validator.provider.type === 'aws')
      add('iam-policy.json', `${JSON.stringify(renderIamPolicy(validator), null, 2)}\n`);
  }
  return files;
}

/** The three variables by which an operator's deployment turns KMS on for one validator. */
function renderVariables(validator: Validator, { variables }: Description['environment']): string {
  const { enabled, region, serviceAccount } = variables;
  if (!validator.kms) return `${enabled}=false\n${region}=\n${serviceAccount}=\n`;
  return [
    `${enabled}=true`,
    `${region}=${validator.provider.region}`,
    `${serviceAccount}=${validator.serviceAccount.name}`,
    '',
  ].join('\n');
}

function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}
