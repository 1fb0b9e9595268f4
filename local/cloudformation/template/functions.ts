import { templateError, validationError } from '../errors.ts';
import { divideBlock } from './cidr.ts';
import { isList, isObject, isScalar, objectOf, type TemplateObject, type TemplateValue } from './value.ts';

/** Values that functions read. */
export interface Scope {
  /** Values of parameters and pseudo parameters, lists as lists; undefined for other names. */
  parameter(name: string): TemplateValue | undefined;
  /** Value of `Ref` of a resource. @throws AwsServiceError where there is none of this name */
  reference(logicalId: string): TemplateValue;
  /** Value of `Fn::GetAtt`. @throws AwsServiceError where there is none of this name */
  attribute(logicalId: string, attribute: string): TemplateValue;
  /** Whether a condition holds. @throws AwsServiceError where there is none of this name */
  condition(name: string): boolean;
  /** Value that another stack of the account and Region exports; undefined where none does. */
  exported(name: string): string | undefined;
  readonly mappings: TemplateObject;
  readonly region: string;
}

/** Value that a change set shows for what is known only when it is carried out: AWS's own text. */
export const KNOWN_AFTER_APPLY = '{{changeSet:KNOWN_AFTER_APPLY}}';

/** Value of `AWS::NoValue`: the member or entry that has it is left out. */
const NO_VALUE = Symbol('AWS::NoValue');
type Evaluated = TemplateValue | typeof NO_VALUE;

/** Whether anything in a value is known only when a change set is carried out. */
export function isUnknown(value: TemplateValue): boolean {
  if (typeof value === 'string') return value.includes(KNOWN_AFTER_APPLY);
  if (isList(value)) return value.some(isUnknown);
  return isObject(value) && Object.values(value).some(isUnknown);
}

/**
 * Carries out the functions of a value; undefined for `AWS::NoValue`.
 * Source: CloudFormation User Guide, "Intrinsic function reference".
 * @throws AwsServiceError ValidationError
 */
export function evaluate(value: TemplateValue, scope: Scope): TemplateValue | undefined {
  const result = evaluateAny(value, scope);
  return result === NO_VALUE ? undefined : result;
}

function evaluateAny(value: TemplateValue, scope: Scope): Evaluated {
  if (isList(value)) return value.map((item) => evaluateAny(item, scope)).filter((item) => item !== NO_VALUE);
  if (!isObject(value)) return value;
  const call = callOf(value);
  if (call !== undefined) return applyFunction(call.name, call.argument, scope);
  const members = Object.entries(value).map(([name, item]) => [name, evaluateAny(item, scope)] as const);
  return objectOf(members.filter((member): member is [string, TemplateValue] => member[1] !== NO_VALUE));
}

/** Function that an object calls: its only member is `Ref` or begins with `Fn::`. */
export function callOf(
  value: TemplateObject,
): { readonly name: string; readonly argument: TemplateValue } | undefined {
  const names = Object.keys(value);
  const name = names.find((member) => member === 'Ref' || member.startsWith('Fn::'));
  if (name === undefined) return undefined;
  if (names.length > 1) {
    if (name === 'Ref') return undefined;
    throw templateError(`every ${name} object must have one member.`);
  }
  return { name, argument: value[name] ?? null };
}

function applyFunction(name: string, argument: TemplateValue, scope: Scope): Evaluated {
  switch (name) {
    case 'Ref':
      return refer(argument, scope);
    case 'Fn::GetAtt':
      return getAttribute(argument, scope);
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Join':
      return join(argument, scope);
    case 'Fn::If':
      return choose(argument, scope);
    case 'Fn::Select':
      return select(argument, scope);
    case 'Fn::Split':
      return split(argument, scope);
    case 'Fn::FindInMap':
      return findInMap(argument, scope);
    case 'Fn::Base64':
      return encodeBase64(argument, scope);
    case 'Fn::Cidr':
      return cidr(argument, scope);
    case 'Fn::ImportValue':
      return importValue(argument, scope);
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => `${text(argument, scope, name) || scope.region}${zone}`);
    case 'Fn::Equals':
    case 'Fn::Not':
    case 'Fn::And':
    case 'Fn::Or':
      throw templateError(`${name} cannot be partially collapsed`);
    default:
      throw templateError(
        `Encountered unsupported function: ${name} Supported functions are: [${SUPPORTED}]`,
      );
  }
}

const SUPPORTED =
  'Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::Join, Fn::FindInMap, Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Fn::And, Fn::Or, Fn::Sub, Fn::Split, Fn::Cidr';

function refer(argument: TemplateValue, scope: Scope): Evaluated {
  if (typeof argument !== 'string') throw templateError('every Ref object must have a single String value.');
  if (argument === 'AWS::NoValue') return NO_VALUE;
  return scope.parameter(argument) ?? scope.reference(argument);
}

/** Reads the argument of GetAtt: logical id and attribute, the latter perhaps by `Ref` of a parameter. */
export function readAttribute(
  argument: TemplateValue,
): { readonly id: string; readonly attribute: TemplateValue } | undefined {
  if (typeof argument === 'string') {
    const at = argument.indexOf('.');
    return at < 1 ? undefined : { id: argument.slice(0, at), attribute: argument.slice(at + 1) };
  }
  if (!isList(argument) || argument.length < 2) return undefined;
  const [id, ...rest] = argument;
  if (typeof id !== 'string' || id === '') return undefined;
  if (rest.every((part) => typeof part === 'string')) return { id, attribute: rest.join('.') };
  return rest.length === 1 && rest[0] !== undefined ? { id, attribute: rest[0] } : undefined;
}

function getAttribute(argument: TemplateValue, scope: Scope): Evaluated {
  const read = readAttribute(argument);
  const name = read === undefined ? undefined : evaluate(read.attribute, scope);
  if (read === undefined || typeof name !== 'string' || name === '') {
    throw templateError(
      'every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute',
    );
  }
  return scope.attribute(read.id, name);
}

/** Variables of a text for Fn::Sub, `!` before those that are literal. */
const VARIABLE = /\$\{(!?)([^}]*)\}/g;
const VARIABLE_NAME = /^[A-Za-z0-9_.:]+$/;

/** Reads the argument of Fn::Sub: the text, and values for its own variables. */
export function readSubstitution(argument: TemplateValue): {
  readonly text: string;
  readonly values: TemplateObject;
  readonly variables: readonly string[];
} {
  const [pattern, values = objectOf([]), ...surplus] = isList(argument) ? argument : [argument];
  if (typeof pattern !== 'string' || !isObject(values) || surplus.length > 0) {
    throw templateError(
      "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
    );
  }
  const variables = [...pattern.matchAll(VARIABLE)]
    .filter(([, literal]) => literal === '')
    .map(([, , name = '']) => name.trim());
  if (!variables.every((name) => VARIABLE_NAME.test(name))) {
    throw templateError(
      'variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons',
    );
  }
  return { text: pattern, values, variables };
}

function substitute(argument: TemplateValue, scope: Scope): Evaluated {
  const { text: pattern, values } = readSubstitution(argument);
  return pattern.replace(VARIABLE, (_, literal: string, inner: string) => {
    const name = inner.trim();
    if (literal === '!') return `\${${inner}}`;
    const own = Object.hasOwn(values, name) ? values[name] : undefined;
    if (own !== undefined) return text(own, scope, 'Fn::Sub');
    const value = name.includes('.') ? getAttribute(name, scope) : refer(name, scope);
    if (typeof value === 'symbol' || !isScalar(value)) {
      throw templateError('Fn::Sub expression does not resolve to a string');
    }
    return String(value);
  });
}

function join(argument: TemplateValue, scope: Scope): Evaluated {
  const [delimiter, list] = isList(argument) ? argument : [];
  const entries = list === undefined ? undefined : evaluate(list, scope);
  if (typeof delimiter !== 'string' || entries === undefined || (isList(argument) && argument.length !== 2)) {
    throw joinError();
  }
  if (entries === KNOWN_AFTER_APPLY) return entries;
  if (!isList(entries) || !entries.every(isScalar)) throw joinError();
  return entries.map(String).join(delimiter);
}

function joinError(): Error {
  return templateError(
    'every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.',
  );
}

function choose(argument: TemplateValue, scope: Scope): Evaluated {
  const [condition, yes, no, ...surplus] = isList(argument) ? argument : [];
  if (typeof condition !== 'string' || yes === undefined || no === undefined || surplus.length > 0) {
    throw templateError('Fn::If requires a list argument with the first element being a condition');
  }
  return evaluateAny(scope.condition(condition) ? yes : no, scope);
}

function select(argument: TemplateValue, scope: Scope): Evaluated {
  const [at, list, ...surplus] = isList(argument) ? argument : [];
  if (at === undefined || list === undefined || surplus.length > 0) {
    throw templateError(
      'every Fn::Select object requires two parameters, the first an integer index and the second a list',
    );
  }
  const index = Number(text(at, scope, 'Fn::Select'));
  const entries = evaluate(list, scope);
  if (entries === KNOWN_AFTER_APPLY) return entries;
  if (!isList(entries)) {
    throw templateError('Fn::Select requires a list argument with two elements: an integer index and a list');
  }
  if (entries.some((entry) => entry === KNOWN_AFTER_APPLY)) return KNOWN_AFTER_APPLY;
  const chosen = Number.isInteger(index) ? entries[index] : undefined;
  if (chosen === undefined)
    throw templateError(`Fn::Select  cannot select nonexistent value at index ${index}`);
  return chosen;
}

function split(argument: TemplateValue, scope: Scope): Evaluated {
  const [delimiter, source, ...surplus] = isList(argument) ? argument : [];
  if (typeof delimiter !== 'string' || delimiter === '' || source === undefined || surplus.length > 0) {
    throw templateError(
      'every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.',
    );
  }
  const whole = text(source, scope, 'Fn::Split');
  return isUnknown(whole) ? [KNOWN_AFTER_APPLY] : whole.split(delimiter);
}

function findInMap(argument: TemplateValue, scope: Scope): Evaluated {
  if (!isList(argument) || argument.length !== 3) {
    throw templateError(
      'every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value',
    );
  }
  const path = argument.map((part) => text(part, scope, 'Fn::FindInMap'));
  let found: TemplateValue | undefined = scope.mappings;
  for (const part of path) found = isObject(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  if (found === undefined || isObject(found)) {
    throw templateError(`Unable to get mapping for ${path.join('::')}`);
  }
  return found;
}

function encodeBase64(argument: TemplateValue, scope: Scope): Evaluated {
  const plain = text(argument, scope, 'Fn::Base64');
  return isUnknown(plain) ? KNOWN_AFTER_APPLY : Buffer.from(plain, 'utf8').toString('base64');
}

function cidr(argument: TemplateValue, scope: Scope): Evaluated {
  const [block, count, bits = 8, ...surplus] = isList(argument) ? argument : [];
  if (block === undefined || count === undefined || surplus.length > 0) {
    throw templateError('every Fn::Cidr object requires an ipBlock, a count and cidrBits');
  }
  const [whole, blocks, width] = [block, count, bits].map((part) => text(part, scope, 'Fn::Cidr'));
  if (isUnknown([whole ?? '', blocks ?? '', width ?? ''])) return KNOWN_AFTER_APPLY;
  return divideBlock(whole ?? '', Number(blocks), Number(width));
}

function importValue(argument: TemplateValue, scope: Scope): Evaluated {
  const name = text(argument, scope, 'Fn::ImportValue');
  const value = scope.exported(name);
  if (value === undefined) throw validationError(`No export named ${name} found.`);
  return value;
}

/** Carries out a value that has to be text. */
function text(value: TemplateValue, scope: Scope, name: string): string {
  const result = evaluate(value, scope);
  if (!isScalar(result)) throw templateError(`every ${name} object must have a String-typed value.`);
  return String(result);
}
