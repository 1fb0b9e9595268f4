import { CantonError } from './errors.ts';
import type { ValidatorFields } from './schema.ts';

/**
 * Asserts that the validators of a description contradict neither themselves nor each other.
 *
 * @param isKmsDefault the environment's toggle
 * @throws CantonError CANTON_SERVICE_ACCOUNT_MISSING, CANTON_DESCRIPTION_CONTRADICTORY
 */
export function assertConsistent(validators: readonly ValidatorFields[], isKmsDefault: boolean): void {
  const withKms = validators.filter(({ kms = isKmsDefault }) => kms);
  const without = withKms.filter(({ serviceAccount }) => serviceAccount === undefined);
  if (without.length > 0) {
    throw new CantonError(
      'CANTON_SERVICE_ACCOUNT_MISSING',
      'KMS is on for validators without a ServiceAccount',
      {
        validators: without.map(({ name }) => name),
      },
    );
  }
  const fields = [
    ...findTwice(validators),
    ...validators.flatMap(contradictionsOf),
    ...withKms.flatMap(kmsContradictionsOf),
  ];
  if (fields.length > 0)
    throw new CantonError('CANTON_DESCRIPTION_CONTRADICTORY', 'the description contradicts itself', {
      fields,
    });
}

function findTwice(validators: readonly ValidatorFields[]): string[] {
  const names = (take: (validator: ValidatorFields) => string, what: string) =>
    [...Map.groupBy(validators, take)]
      .filter(([, all]) => all.length > 1)
      .map(([value]) => `validators: ${what} ${value} stands twice`);
  return [
    ...names(({ name }) => name, 'the name'),
    ...names(
      ({ namespace, workload }) =>
        `${namespace}/${workload?.kind ?? 'Deployment'}/${workload?.name ?? 'participant'}`,
      'the workload',
    ),
  ];
}

function contradictionsOf(validator: ValidatorFields): string[] {
  const { name, kind, participant, keys, rotateTo } = validator;
  const found: [boolean, string, string][] = [
    [
      kind === 'canton' && participant === undefined,
      'participant',
      'a plain Canton participant has a name of its own',
    ],
    [
      kind === 'splice' && participant !== undefined && participant !== 'participant',
      'participant',
      'the node of a Splice validator is called participant',
    ],
    [
      kind === 'splice' && (keys['sequencer-auth'] ?? rotateTo['sequencer-auth']) !== undefined,
      'keys.sequencer-auth',
      'a Splice validator has three keys: its signing key serves all usages',
    ],
    [
      rotateTo.namespace !== undefined,
      'rotateTo.namespace',
      'no command of Canton rotates the root namespace key',
    ],
  ];
  return found.flatMap(([is, field, why]) => (is ? [`${name}.${field}: ${why}`] : []));
}

function kmsContradictionsOf(validator: ValidatorFields): string[] {
  const { name, provider, mode, keys, rotateTo, wrapperKey, image, serviceAccount, credentials, trustStore } =
    validator;
  const { keysNow, migration } = validator;
  const isDoor = provider?.type === 'door';
  const hasRole = serviceAccount?.roleArn !== undefined;
  const hasKeys = Object.keys(keys).length + Object.keys(rotateTo).length > 0;
  const found: [boolean, string, string][] = [
    [provider === undefined, 'provider', 'KMS is on, and nothing says where the keys are'],
    [
      isDoor && credentials === undefined,
      'credentials',
      'a door asks for credentials of its own, from a Secret',
    ],
    [isDoor && hasRole, 'serviceAccount.roleArn', 'a door takes no role of AWS: the participant needs none'],
    [
      !isDoor && hasRole === (credentials !== undefined),
      'serviceAccount.roleArn',
      'AWS wants a role or a Secret with credentials, and not both',
    ],
    [
      image.attested === 'gateway' && !isDoor,
      'image.attested',
      'no door is named that could attest the access',
    ],
    [mode === 'keys' && wrapperKey !== undefined, 'wrapperKey', 'a wrapper key belongs to mode envelope'],
    [
      mode === 'envelope' && hasKeys,
      'keys',
      'in mode envelope the keys are in the database, under wrapperKey',
    ],
    [
      keysNow === 'database' && (migration === 'envelope') !== (mode === 'envelope'),
      'migration',
      'mode and migration are either both envelope, or neither',
    ],
    [
      keysNow === 'kms' && mode === 'keys' && Object.keys(keys).length === 0,
      'keys',
      'keys that are in KMS have ids',
    ],
    [
      keysNow === 'kms' && mode === 'envelope' && wrapperKey === undefined,
      'wrapperKey',
      'a wrapper key that is in KMS has an id',
    ],
    [
      Object.keys(rotateTo).length > 0 && keysNow !== 'kms',
      'rotateTo',
      'keys are rotated that are in KMS; what is in the database is migrated',
    ],
    [
      trustStore !== undefined && provider?.endpoint?.startsWith('https:') !== true,
      'trustStore',
      'there is no https endpoint that it could be for',
    ],
    [
      provider?.type === 'aws' && provider.endpoint?.startsWith('http:') === true,
      'provider.endpoint',
      'AWS KMS is reached by https',
    ],
  ];
  return found.flatMap(([is, field, why]) => (is ? [`${name}.${field}: ${why}`] : []));
}
