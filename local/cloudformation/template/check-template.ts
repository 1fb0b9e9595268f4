import { formatError, templateError, validationError } from '../errors.ts';
import { callOf } from './functions.ts';
import { isPseudoParameter } from './pseudo-parameters.ts';
import { referencesOf, type Reference } from './references.ts';
import type { Template } from './template.ts';
import { isList, isObject, type TemplateValue } from './value.ts';

/** What the checker has to know of resource types. */
export interface TypeCatalogue {
  has(type: string): boolean;
  /** Whether `Fn::GetAtt` may ask a type for an attribute. */
  hasAttribute(type: string, attribute: string): boolean;
}

/**
 * Asserts that everything that a template refers to is in it, that its types are known and that no resources wait for
 * each other. `ValidateTemplate` and every change of a stack begin with it.
 * @throws AwsServiceError ValidationError
 */
export function checkTemplate(template: Template, types: TypeCatalogue): void {
  const unknown = [...template.resources.values()].map(({ type }) => type).filter((type) => !types.has(type));
  if (unknown.length > 0) {
    throw formatError(`Unrecognized resource types: [${[...new Set(unknown)].join(', ')}]`);
  }
  checkConditions(template);
  for (const [id, { properties, dependsOn, condition }] of template.resources) {
    const where = 'Resources';
    assertConditionNames(template, condition === undefined ? [] : [condition]);
    checkReferences(template, types, referencesOf(properties), where);
    const missing = dependsOn.filter((name) => !template.resources.has(name));
    if (missing.length > 0) throw unresolved(missing, where);
    if (dependsOn.includes(id)) throw validationError(`Circular dependency between resources: [${id}]`);
  }
  for (const { value, exportName, condition } of template.outputs.values()) {
    assertConditionNames(template, condition === undefined ? [] : [condition]);
    checkReferences(template, types, referencesOf([value, exportName ?? '']), 'Outputs');
  }
  creationOrder(template);
}

function checkReferences(
  template: Template,
  types: TypeCatalogue,
  references: readonly Reference[],
  where: 'Resources' | 'Outputs',
): void {
  assertConditionNames(
    template,
    references.filter(({ kind }) => kind === 'condition').map(({ name }) => name),
  );
  const missing = references.filter(
    ({ kind, name }) =>
      kind === 'ref' &&
      !template.resources.has(name) &&
      !template.parameters.has(name) &&
      !isPseudoParameter(name),
  );
  if (missing.length > 0)
    throw unresolved(
      missing.map(({ name }) => name),
      where,
    );
  for (const reference of references) {
    if (reference.kind !== 'attribute') continue;
    const { name, attribute } = reference;
    const resource = template.resources.get(name);
    if (resource === undefined) {
      throw templateError(`instance of Fn::GetAtt references undefined resource ${name}`);
    }
    if (attribute !== undefined && !types.hasAttribute(resource.type, attribute)) {
      throw templateError(`resource ${name} does not support attribute type ${attribute} in Fn::GetAtt`);
    }
  }
}

function unresolved(names: readonly string[], where: string): Error {
  return formatError(
    `Unresolved resource dependencies [${[...new Set(names)].join(', ')}] in the ${where} block of the template`,
  );
}

function assertConditionNames({ conditions }: Template, names: readonly string[]): void {
  const missing = names.find((name) => !Object.hasOwn(conditions, name));
  if (missing !== undefined) {
    throw formatError(`Unresolved condition dependency ${missing} in the Resources block of the template`);
  }
}

function checkConditions(template: Template): void {
  const references = referencesOf(template.conditions);
  const wrong = references.filter(
    ({ kind, name }) =>
      kind === 'attribute' || (kind === 'ref' && !template.parameters.has(name) && !isPseudoParameter(name)),
  );
  if (wrong.length > 0) {
    throw formatError(
      `Unresolved dependencies [${wrong.map(({ name }) => name).join(', ')}]. Cannot reference resources in the Conditions block of the template`,
    );
  }
  const missing = conditionNames(template.conditions).find(
    (name) => !Object.hasOwn(template.conditions, name),
  );
  if (missing !== undefined) {
    throw formatError(`Unresolved condition dependency ${missing} in the Conditions block of the template`);
  }
}

/** Names of conditions that conditions use: `{"Condition": NAME}`. */
function conditionNames(value: TemplateValue): string[] {
  if (isList(value)) return value.flatMap(conditionNames);
  if (!isObject(value)) return [];
  const { Condition: name } = value;
  const own = typeof name === 'string' && callOf(value) === undefined && Object.keys(value).length === 1;
  return [...(own ? [name] : []), ...Object.values(value).flatMap(conditionNames)];
}

/** Resources that a resource waits for: those that its properties name, and DependsOn. */
export function dependenciesOf(template: Template, id: string): string[] {
  const resource = template.resources.get(id);
  if (resource === undefined) return [];
  const named = referencesOf(resource.properties)
    .filter(({ kind, name }) => kind !== 'condition' && template.resources.has(name))
    .map(({ name }) => name);
  return [...new Set([...named, ...resource.dependsOn])];
}

/**
 * Orders a template's resources so that each comes after those that it waits for.
 * @throws AwsServiceError ValidationError for those that wait for each other
 */
export function creationOrder(template: Template): string[] {
  const waiting = new Map([...template.resources.keys()].map((id) => [id, dependenciesOf(template, id)]));
  const order: string[] = [];
  const done = new Set<string>();
  while (waiting.size > 0) {
    const ready = [...waiting].filter(([, needs]) => needs.every((need) => done.has(need))).map(([id]) => id);
    if (ready.length === 0) {
      throw validationError(`Circular dependency between resources: [${[...waiting.keys()].join(', ')}]`);
    }
    for (const id of ready) {
      done.add(id);
      waiting.delete(id);
    }
    order.push(...ready);
  }
  return order;
}
