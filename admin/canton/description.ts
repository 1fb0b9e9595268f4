import { parse, YAMLParseError } from 'yaml';
import { CantonError } from './errors.ts';
import { assertConsistent } from './consistency.ts';
import { type DescriptionFields, descriptionSchema, type Provider, type ValidatorFields } from './schema.ts';

export const MAX_DESCRIPTION_BYTES = 1024 * 1024;
/** Fields that a refusal names. */
const MAX_NAMED = 16;

/** Workload of a participant: the object of Kubernetes, and the container in it. */
export interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly name: string;
  readonly container: string;
}

interface ValidatorBase extends Omit<
  ValidatorFields,
  'kms' | 'provider' | 'serviceAccount' | 'participant' | 'workload'
> {
  readonly participant: string;
  readonly workload: Workload;
}
/** Validator with its keys, or its keys' key, in KMS. */
export interface KmsValidator extends ValidatorBase {
  readonly kms: true;
  readonly provider: Provider;
  readonly serviceAccount: { readonly name: string; readonly roleArn?: string | undefined };
}
export interface PlainValidator extends ValidatorBase {
  readonly kms: false;
}
/** Validator with every default applied. */
export type Validator = KmsValidator | PlainValidator;

/** Description of an environment and its validators, consistent in itself. */
export interface Description {
  readonly environment: DescriptionFields['environment'];
  readonly validators: readonly Validator[];
}

/**
 * Parses a description of validators: YAML 1.2 without anchors, at most {@link MAX_DESCRIPTION_BYTES}.
 *
 * @throws CantonError CANTON_DESCRIPTION_MALFORMED, CANTON_DESCRIPTION_CONTRADICTORY, CANTON_SERVICE_ACCOUNT_MISSING
 */
export function parseDescription(bytes: Uint8Array): Description {
  const result = descriptionSchema.safeParse(parseYaml(bytes));
  if (!result.success) {
    const fields = result.error.issues
      .flatMap(({ path, message, ...issue }) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => `${[...path, key].join('.')}: unknown field`)
          : [`${path.length === 0 ? 'the whole' : path.join('.')}: ${message}`],
      )
      .slice(0, MAX_NAMED);
    throw new CantonError('CANTON_DESCRIPTION_MALFORMED', 'fields are missing, unknown or malformed', {
      fields,
    });
  }
  const { environment, validators } = result.data;
  assertConsistent(validators, environment.kms);
  return {
    environment,
    validators: validators.map((validator) => applyDefaults(validator, environment.kms)),
  };
}

function applyDefaults(fields: ValidatorFields, isKmsDefault: boolean): Validator {
  const { kms = isKmsDefault, provider, serviceAccount, participant, workload, ...rest } = fields;
  const base: ValidatorBase = {
    ...rest,
    participant: participant ?? 'participant',
    // Splice's chart names the Deployment after the release, and the container `participant`.
    workload: workload ?? { kind: 'Deployment', name: 'participant', container: 'participant' },
  };
  if (!kms) return { ...base, kms };
  if (provider === undefined || serviceAccount === undefined)
    throw new TypeError('a description whose consistency was not asserted');
  return { ...base, kms, provider, serviceAccount };
}

function parseYaml(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_DESCRIPTION_BYTES) {
    throw new CantonError('CANTON_DESCRIPTION_MALFORMED', 'the description is longer than its maximum', {
      maximum: MAX_DESCRIPTION_BYTES,
    });
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const options = {
      version: '1.2',
      strict: true,
      uniqueKeys: true,
      maxAliasCount: 0,
      logLevel: 'error',
    } as const;
    return parse(text, options) as unknown;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    const place = start === undefined ? {} : { line: start.line, column: start.col };
    throw new CantonError('CANTON_DESCRIPTION_MALFORMED', 'the description is not YAML 1.2', place, error);
  }
}

/** Validators with KMS on. */
export function kmsValidators({ validators }: Description): KmsValidator[] {
  return validators.filter((validator) => validator.kms);
}
