import { validationError } from '../errors.ts';
import type { ParameterDeclaration } from './parameter-declarations.ts';

/** Parameter of a request: a value, or the one that the stack has. */
export interface GivenParameter {
  readonly key: string;
  readonly value?: string | undefined;
  readonly usePreviousValue?: boolean | undefined;
}

export interface ParameterSources {
  readonly given: readonly GivenParameter[];
  /** Values that the stack has; absent when it is being made. */
  readonly previous?: Readonly<Record<string, string>> | undefined;
}

const MAX_VALUE_BYTES = 4096;

/**
 * Decides each parameter's value as text, lists joined by commas: given, or the stack's previous one where the request
 * asks for it, or the default.
 * @throws AwsServiceError ValidationError
 */
export function resolveParameters(
  declarations: ReadonlyMap<string, ParameterDeclaration>,
  { given, previous }: ParameterSources,
): Record<string, string> {
  const unknown = given.filter(({ key }) => !declarations.has(key)).map(({ key }) => key);
  if (unknown.length > 0) {
    throw validationError(`Parameters: [${unknown.join(', ')}] do not exist in the template`);
  }
  const twice = given.find(({ key }, index) => given.findIndex((other) => other.key === key) !== index);
  if (twice !== undefined) throw validationError(`Parameter '${twice.key}' is specified more than once.`);
  const values: Record<string, string> = {};
  const missing: string[] = [];
  for (const [name, declaration] of declarations) {
    const value = choose(name, declaration, { given, previous });
    if (value === undefined) missing.push(name);
    else values[name] = value;
  }
  if (missing.length > 0) throw validationError(`Parameters: [${missing.join(', ')}] must have values`);
  for (const [name, declaration] of declarations) assertConstraints(name, declaration, values[name] ?? '');
  return values;
}

function choose(
  name: string,
  declaration: ParameterDeclaration,
  { given, previous }: ParameterSources,
): string | undefined {
  const request = given.find(({ key }) => key === name);
  if (request === undefined) return declaration.defaultValue;
  if (request.usePreviousValue !== true) return request.value;
  if (request.value !== undefined) {
    throw validationError(
      `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true and non empty value for a parameter`,
    );
  }
  if (previous === undefined) {
    throw validationError(
      `Invalid input for parameter key ${name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template`,
    );
  }
  return Object.hasOwn(previous, name) ? previous[name] : declaration.defaultValue;
}

/** Splits the value of a list, without the space around its entries. */
export function splitList(value: string): string[] {
  return value === '' ? [] : value.split(',').map((entry) => entry.trim());
}

function assertConstraints(name: string, declaration: ParameterDeclaration, value: string): void {
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw validationError(`Parameter '${name}' must contain at most ${MAX_VALUE_BYTES} characters`);
  }
  const entries = declaration.list ? splitList(value) : [value];
  for (const entry of entries) {
    const problem = findProblem(name, declaration, entry);
    if (problem === undefined) continue;
    const { constraintDescription: description } = declaration;
    throw validationError(
      description === undefined ? problem : `Parameter ${name} failed to satisfy constraint: ${description}`,
    );
  }
}

function findProblem(name: string, declaration: ParameterDeclaration, value: string): string | undefined {
  const { allowedValues, allowedPattern, patternText, minLength, maxLength, minValue, maxValue } =
    declaration;
  if (declaration.number && (value.trim() === '' || !Number.isFinite(Number(value)))) {
    return `Parameter '${name}' must be a number.`;
  }
  if (allowedValues !== undefined && !allowedValues.includes(value)) {
    return `Parameter '${name}' must be one of AllowedValues`;
  }
  if (allowedPattern !== undefined && !allowedPattern.test(value)) {
    return `Parameter '${name}' must match pattern ${patternText}`;
  }
  if (minLength !== undefined && value.length < minLength) {
    return `Parameter '${name}' must contain at least ${minLength} characters`;
  }
  if (maxLength !== undefined && value.length > maxLength) {
    return `Parameter '${name}' must contain at most ${maxLength} characters`;
  }
  if (minValue !== undefined && Number(value) < minValue) {
    return `Parameter '${name}' must be a number not less than ${minValue}`;
  }
  if (maxValue !== undefined && Number(value) > maxValue) {
    return `Parameter '${name}' must be a number not greater than ${maxValue}`;
  }
  return findMalformedId(name, declaration.type, value);
}

const IDS: readonly (readonly [string, RegExp])[] = [
  ['AWS::EC2::Image::Id', /^ami-(?:[0-9a-f]{8}|[0-9a-f]{17})$/],
  ['AWS::EC2::Instance::Id', /^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/],
  ['AWS::EC2::SecurityGroup::Id', /^sg-(?:[0-9a-f]{8}|[0-9a-f]{17})$/],
  ['AWS::EC2::Subnet::Id', /^subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})$/],
  ['AWS::EC2::VPC::Id', /^vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})$/],
];

/** Form of ids; whether such a thing is in the account, the stand-in does not know. */
function findMalformedId(name: string, type: string, value: string): string | undefined {
  const pattern = IDS.find(([id]) => type === id || type === `List<${id}>`)?.[1];
  if (pattern === undefined || pattern.test(value)) return undefined;
  return `Parameter validation failed: parameter value ${value} for parameter name ${name} does not exist. Rollback requested by user.`;
}
