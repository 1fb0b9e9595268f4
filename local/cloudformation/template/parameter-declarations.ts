import { formatError } from '../errors.ts';
import { isList, isObject, isScalar, type TemplateObject, type TemplateValue } from './value.ts';

/** Parameter as the template declares it. */
export interface ParameterDeclaration {
  readonly type: string;
  /** Whether the value is a list: `CommaDelimitedList` and `List<…>`. */
  readonly list: boolean;
  /** Whether each value is a number. */
  readonly number: boolean;
  /** Whether the value names a parameter of Systems Manager that holds the real one. */
  readonly ssm: boolean;
  readonly defaultValue: string | undefined;
  readonly noEcho: boolean;
  readonly description: string | undefined;
  readonly allowedValues: readonly string[] | undefined;
  readonly allowedPattern: RegExp | undefined;
  readonly patternText: string | undefined;
  readonly minLength: number | undefined;
  readonly maxLength: number | undefined;
  readonly minValue: number | undefined;
  readonly maxValue: number | undefined;
  readonly constraintDescription: string | undefined;
}

const MEMBERS = [
  'Type',
  'Default',
  'NoEcho',
  'Description',
  'AllowedValues',
  'AllowedPattern',
  'MinLength',
  'MaxLength',
  'MinValue',
  'MaxValue',
  'ConstraintDescription',
];
const NAME = /^[A-Za-z0-9]{1,255}$/;
const MAX_PARAMETERS = 200;

/** Types of one value whose form AWS checks against the account. Source: User Guide, "Supplied parameter types". */
const AWS_TYPES = [
  'AWS::EC2::AvailabilityZone::Name',
  'AWS::EC2::Image::Id',
  'AWS::EC2::Instance::Id',
  'AWS::EC2::KeyPair::KeyName',
  'AWS::EC2::SecurityGroup::GroupName',
  'AWS::EC2::SecurityGroup::Id',
  'AWS::EC2::Subnet::Id',
  'AWS::EC2::Volume::Id',
  'AWS::EC2::VPC::Id',
  'AWS::Route53::HostedZone::Id',
];

/** Reads the Parameters section. @throws AwsServiceError ValidationError */
export function parseParameterDeclarations(section: TemplateObject): Map<string, ParameterDeclaration> {
  const entries = Object.entries(section);
  if (entries.length > MAX_PARAMETERS) {
    throw formatError(
      `Number of parameters, ${entries.length}, is greater than maximum allowed, ${MAX_PARAMETERS}`,
    );
  }
  return new Map(entries.map(([name, value]) => [name, parseDeclaration(name, value)]));
}

function parseDeclaration(name: string, value: TemplateValue): ParameterDeclaration {
  if (!NAME.test(name)) throw formatError(`Parameter name ${name} is non alphanumeric.`);
  if (!isObject(value)) throw formatError(`[/Parameters/${name}] parameter definition is malformed`);
  const unknown = Object.keys(value).find((member) => !MEMBERS.includes(member));
  if (unknown !== undefined) throw formatError(`Invalid template parameter property '${unknown}'`);
  const type = value['Type'];
  if (typeof type !== 'string') throw formatError('Every Parameters object must contain a Type member.');
  const patternText = text(value, name, 'AllowedPattern');
  const allowed = value['AllowedValues'];
  if (allowed !== undefined && !isList(allowed)) {
    throw formatError(`[/Parameters/${name}/AllowedValues] every AllowedValues member must be a list.`);
  }
  return {
    type,
    ...kindOf(name, type),
    defaultValue: text(value, name, 'Default'),
    noEcho: text(value, name, 'NoEcho')?.toLowerCase() === 'true',
    description: text(value, name, 'Description'),
    allowedValues: allowed?.map((item) => scalar(item, `${name}/AllowedValues`)),
    allowedPattern: patternText === undefined ? undefined : compile(name, patternText),
    patternText,
    minLength: number(value, name, 'MinLength'),
    maxLength: number(value, name, 'MaxLength'),
    minValue: number(value, name, 'MinValue'),
    maxValue: number(value, name, 'MaxValue'),
    constraintDescription: text(value, name, 'ConstraintDescription'),
  };
}

function kindOf(name: string, type: string): Pick<ParameterDeclaration, 'list' | 'number' | 'ssm'> {
  if (type === 'AWS::SSM::Parameter::Name') return { list: false, number: false, ssm: false };
  const held = /^AWS::SSM::Parameter::Value<(.+)>$/.exec(type)?.[1];
  const inner = held ?? type;
  const listed = /^List<(.+)>$/.exec(inner)?.[1];
  const single = listed ?? inner;
  const known =
    inner === 'CommaDelimitedList' ||
    single === 'String' ||
    (single === 'Number' && held === undefined) ||
    AWS_TYPES.includes(single);
  if (!known || listed === 'String') {
    if (held === undefined || listed !== 'String') {
      throw formatError(`Unrecognized parameter type: ${type}. [/Parameters/${name}/Type]`);
    }
  }
  return {
    list: inner === 'CommaDelimitedList' || listed !== undefined,
    number: single === 'Number',
    ssm: held !== undefined,
  };
}

/** Pattern as Java matches it: against the whole value. */
function compile(name: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw formatError(`[/Parameters/${name}/AllowedPattern] is not a regular expression.`);
  }
}

function scalar(value: TemplateValue, path: string): string {
  if (!isScalar(value)) throw formatError(`[/Parameters/${path}] must be a string.`);
  return String(value);
}

function text(object: TemplateObject, name: string, member: string): string | undefined {
  const value = object[member];
  return value === undefined ? undefined : scalar(value, `${name}/${member}`);
}

function number(object: TemplateObject, name: string, member: string): number | undefined {
  const value = text(object, name, member);
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (value.trim() === '' || !Number.isFinite(parsed)) {
    throw formatError(`[/Parameters/${name}/${member}] must be a number.`);
  }
  return parsed;
}
