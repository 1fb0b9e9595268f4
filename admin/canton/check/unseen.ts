import type { KmsValidator } from '../description.ts';
import type { Report } from './finding.ts';
import type { ClusterObjects, PodContainer } from './objects.ts';

/** Reports sources of variables that were not given: a fragment in one of them is in force and was not judged. */
export function reportUnseenVariables(
  { envFrom }: PodContainer,
  namespace: string,
  { configMaps, secrets }: ClusterObjects,
  report: Report,
): void {
  for (const { configMapRef, secretRef } of envFrom) {
    for (const [kind, given, name] of [
      ['ConfigMap', configMaps, configMapRef?.name],
      ['Secret', secrets, secretRef?.name],
    ] as const) {
      const isGiven = given.some(
        ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
      );
      if (name === undefined || isGiven) continue;
      report(
        'VARIABLES_NOT_SEEN',
        'warning',
        `${kind}/${name}`,
        'all its entries are variables of the participant, and it is not among what was given: what they set was not judged',
        `Give ${kind}s to the check.`,
      );
    }
  }
}

/** Reports that nobody has looked at what the role of a validator may do. */
export function reportUnseenPolicy({ provider, serviceAccount }: KmsValidator, report: Report): void {
  if (provider.type !== 'aws') return;
  report(
    'IAM_POLICY_NOT_SEEN',
    'note',
    serviceAccount.roleArn ?? 'the policy',
    'what the role may do was not judged: its policy was not given',
    'Give it by --policy NAME=FILE.',
  );
}
