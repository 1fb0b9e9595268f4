import { formatError, validationError } from '../errors.ts';
import { parseParameterDeclarations, type ParameterDeclaration } from './parameter-declarations.ts';
import { readTemplate } from './read-template.ts';
import { isList, isObject, objectOf, type TemplateObject, type TemplateValue } from './value.ts';

export type DeletionPolicy = 'Delete' | 'Retain' | 'RetainExceptOnCreate' | 'Snapshot';

/** Resource as the template declares it; functions in its properties are not carried out. */
export interface ResourceDeclaration {
  readonly type: string;
  readonly properties: TemplateObject;
  readonly dependsOn: readonly string[];
  readonly condition: string | undefined;
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: DeletionPolicy;
}

export interface OutputDeclaration {
  readonly value: TemplateValue;
  readonly description: string | undefined;
  readonly exportName: TemplateValue | undefined;
  readonly condition: string | undefined;
}

/** Template whose form is right: its sections and their members, not yet what they refer to. */
export interface Template {
  readonly description: string | undefined;
  readonly metadata: TemplateValue | undefined;
  readonly parameters: ReadonlyMap<string, ParameterDeclaration>;
  readonly mappings: TemplateObject;
  readonly conditions: TemplateObject;
  readonly rules: TemplateObject;
  readonly resources: ReadonlyMap<string, ResourceDeclaration>;
  readonly outputs: ReadonlyMap<string, OutputDeclaration>;
}

const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Rules',
  'Mappings',
  'Conditions',
  'Transform',
  'Resources',
  'Outputs',
  'Hooks',
];
const ATTRIBUTES = [
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'Metadata',
  'CreationPolicy',
  'UpdatePolicy',
];
const POLICIES: readonly string[] = ['Delete', 'Retain', 'RetainExceptOnCreate', 'Snapshot'];
const LOGICAL_ID = /^[A-Za-z0-9]{1,255}$/;
const MAX_DESCRIPTION_BYTES = 1024;
const MAX_RESOURCES = 500;
const MAX_OUTPUTS = 200;
const MAX_MAPPINGS = 200;

/**
 * Templates that were parsed last, by their text. Whoever waits for a stack has it described every second, with parameters
 * of which its template says whether they are shown: parsing was two fifths of what this AWS did in a ceremony.
 */
const parsed = new Map<string, Template>();
const MAX_PARSED = 16;

/**
 * Parses a template, JSON or YAML.
 * @throws AwsServiceError ValidationError
 */
export function parseTemplate(text: string): Template {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const template = parse(text);
  const [oldest] = parsed.keys();
  if (parsed.size >= MAX_PARSED && oldest !== undefined) parsed.delete(oldest);
  parsed.set(text, template);
  return template;
}

function parse(text: string): Template {
  const root = readTemplate(text);
  if (!isObject(root)) throw formatError('unsupported structure.');
  const unknown = Object.keys(root).filter((name) => !SECTIONS.includes(name));
  if (unknown.length > 0)
    throw validationError(`Invalid template property or properties [${unknown.join(', ')}]`);
  const version = root['AWSTemplateFormatVersion'];
  if (version !== undefined && version !== '2010-09-09') {
    throw formatError('Template format version not supported.');
  }
  for (const name of ['Transform', 'Hooks']) {
    if (root[name] !== undefined) throw validationError(`${name} is not carried out by this stand-in`);
  }
  const mappings = section(root, 'Mappings');
  limit(mappings, 'mappings', MAX_MAPPINGS);
  return {
    description: parseDescription(root['Description']),
    metadata: root['Metadata'],
    parameters: parseParameterDeclarations(section(root, 'Parameters')),
    mappings,
    conditions: section(root, 'Conditions'),
    rules: section(root, 'Rules'),
    resources: parseResources(section(root, 'Resources')),
    outputs: parseOutputs(section(root, 'Outputs')),
  };
}

function parseDescription(value: TemplateValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw formatError('every Description member must be a string.');
  if (Buffer.byteLength(value) > MAX_DESCRIPTION_BYTES) {
    throw formatError(`'Description' length is greater than ${MAX_DESCRIPTION_BYTES}.`);
  }
  return value;
}

function section(root: TemplateObject, name: string): TemplateObject {
  const value = root[name];
  if (value === undefined) return objectOf([]);
  if (!isObject(value)) throw formatError(`Any ${name} member must be an object.`);
  return value;
}

function limit(members: TemplateObject, what: string, most: number): void {
  const count = Object.keys(members).length;
  if (count > most)
    throw formatError(`Number of ${what}, ${count}, is greater than maximum allowed, ${most}`);
}

function parseResources(resources: TemplateObject): Template['resources'] {
  if (Object.keys(resources).length === 0) {
    throw formatError('At least one Resources member must be defined.');
  }
  limit(resources, 'resources', MAX_RESOURCES);
  return new Map(Object.entries(resources).map(([id, value]) => [id, parseResource(id, value)]));
}

function parseResource(id: string, value: TemplateValue): ResourceDeclaration {
  if (!LOGICAL_ID.test(id)) throw formatError(`Resource name ${id} is non alphanumeric.`);
  if (!isObject(value)) throw formatError(`[/Resources/${id}] resource definition is malformed`);
  const unknown = Object.keys(value).find((name) => !ATTRIBUTES.includes(name));
  if (unknown !== undefined) throw validationError(`Invalid template resource property '${unknown}'`);
  const { Type: type, Properties: properties = objectOf([]), Condition: condition } = value;
  if (type === undefined) {
    throw formatError(`[/Resources/${id}] Every Resources object must contain a Type member.`);
  }
  if (typeof type !== 'string') throw formatError(`[/Resources/${id}/Type] 'Type' must be a string.`);
  if (!isObject(properties)) throw formatError(`[/Resources/${id}/Properties] Properties must be an object.`);
  if (condition !== undefined && typeof condition !== 'string') {
    throw formatError(`Every Condition member must be a string.`);
  }
  const deletionPolicy = parsePolicy(value, id, 'DeletionPolicy');
  return {
    type,
    properties,
    dependsOn: parseDependsOn(id, value['DependsOn']),
    condition,
    deletionPolicy,
    updateReplacePolicy: parsePolicy(value, id, 'UpdateReplacePolicy'),
  };
}

function parseDependsOn(id: string, value: TemplateValue | undefined): string[] {
  if (value === undefined) return [];
  return (isList(value) ? value : [value]).map((item) => {
    if (typeof item !== 'string') {
      throw formatError(
        `[/Resources/${id}/DependsOn] every DependsOn value must be a string or a list of strings.`,
      );
    }
    return item;
  });
}

function parsePolicy(
  resource: TemplateObject,
  id: string,
  name: 'DeletionPolicy' | 'UpdateReplacePolicy',
): DeletionPolicy {
  const value = resource[name] ?? 'Delete';
  if (typeof value !== 'string') throw formatError(`Every ${name} member must be a string.`);
  const known =
    POLICIES.includes(value) && !(name === 'UpdateReplacePolicy' && value === 'RetainExceptOnCreate');
  if (!known) throw formatError(`Unrecognized ${name} ${value} for resource ${id}`);
  return value as DeletionPolicy;
}

function parseOutputs(outputs: TemplateObject): Template['outputs'] {
  limit(outputs, 'outputs', MAX_OUTPUTS);
  return new Map(Object.entries(outputs).map(([name, value]) => [name, parseOutput(name, value)]));
}

function parseOutput(name: string, output: TemplateValue): OutputDeclaration {
  if (!LOGICAL_ID.test(name)) throw formatError(`Output name ${name} is non alphanumeric.`);
  if (!isObject(output)) throw formatError(`Output ${name} is malformed.`);
  const { Value: value, Description: description, Export: exported, Condition: condition } = output;
  const unknown = Object.keys(output).find(
    (member) => !['Value', 'Description', 'Export', 'Condition'].includes(member),
  );
  if (unknown !== undefined) throw validationError(`Invalid template output property '${unknown}'`);
  if (value === undefined) throw formatError('Every Outputs member must contain a Value object');
  if (condition !== undefined && typeof condition !== 'string') {
    throw formatError(`Every Condition member must be a string.`);
  }
  const exportName = isObject(exported) ? exported['Name'] : undefined;
  if (exported !== undefined && exportName === undefined) {
    throw formatError(
      `Output ${name} is malformed. The Name field of every Export member must be specified.`,
    );
  }
  return { value, description: parseDescription(description), exportName, condition };
}
