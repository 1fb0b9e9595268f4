import { formatError, templateError, validationError } from '../errors.ts';
import { decide, makeConditions } from '../template/conditions.ts';
import { evaluate, type Scope } from '../template/functions.ts';
import { splitList } from '../template/parameters.ts';
import { pseudoParameter, type StackPlace } from '../template/pseudo-parameters.ts';
import type { Template } from '../template/template.ts';
import { isList, isObject, isScalar, type TemplateObject, type TemplateValue } from '../template/value.ts';
import type { StackOutput } from './stack-record.ts';

/** Values of resources, as a template's functions see them. */
export interface ResourceValues {
  reference(logicalId: string): TemplateValue | undefined;
  attribute(logicalId: string, attribute: string): TemplateValue | undefined;
  /** Value that another stack of the place exports. */
  exported(name: string): string | undefined;
}

export interface ScopeOptions {
  readonly template: Template;
  readonly place: StackPlace;
  readonly parameters: Readonly<Record<string, string>>;
  readonly values: ResourceValues;
}

/** Makes the scope in which a stack's template is evaluated. */
export function makeScope({ template, place, parameters, values }: ScopeOptions): Scope {
  const parameter = (name: string): TemplateValue | undefined => {
    const declaration = template.parameters.get(name);
    if (declaration === undefined) return pseudoParameter(name, place);
    const value = parameters[name] ?? '';
    return declaration.list ? splitList(value) : value;
  };
  const scopeOf = (condition: Scope['condition']): Scope => ({
    parameter,
    condition,
    reference(id) {
      const value = values.reference(id);
      if (value !== undefined) return value;
      throw formatError(`Unresolved resource dependencies [${id}] in the Resources block of the template`);
    },
    attribute(id, name) {
      if (values.reference(id) === undefined) {
        throw templateError(`instance of Fn::GetAtt references undefined resource ${id}`);
      }
      const value = values.attribute(id, name);
      if (value === undefined) {
        throw validationError(
          `Vendor response doesn't contain ${name} attribute in object ${place.stackId}|${id}`,
        );
      }
      return value;
    },
    exported: (name) => values.exported(name),
    mappings: template.mappings,
    region: place.region,
  });
  return scopeOf(makeConditions(template.conditions, scopeOf));
}

/** Lists the resources whose conditions hold, by logical id. */
export function wantedResources(template: Template, scope: Scope): Set<string> {
  return new Set(
    [...template.resources]
      .filter(([, { condition }]) => condition === undefined || scope.condition(condition))
      .map(([id]) => id),
  );
}

/** Carries out the functions of a resource's properties. */
export function evaluateProperties(template: Template, id: string, scope: Scope): TemplateObject {
  const value = evaluate(template.resources.get(id)?.properties ?? {}, scope);
  if (!isObject(value)) throw formatError(`[/Resources/${id}/Properties] Properties must be an object.`);
  const dynamic = findDynamicReference(value);
  if (dynamic !== undefined)
    throw validationError(`Dynamic references are not carried out by this stand-in: ${dynamic}`);
  return value;
}

function findDynamicReference(value: TemplateValue): string | undefined {
  if (typeof value === 'string') return /\{\{resolve:[^}]*\}\}/.exec(value)?.[0];
  const members = isList(value) ? value : isObject(value) ? Object.values(value) : [];
  return members.map(findDynamicReference).find((found) => found !== undefined);
}

/** Carries out the functions of the outputs. @throws AwsServiceError ValidationError */
export function evaluateOutputs(template: Template, scope: Scope): StackOutput[] {
  return [...template.outputs].flatMap(([key, output]): StackOutput[] => {
    if (output.condition !== undefined && !scope.condition(output.condition)) return [];
    const value = evaluate(output.value, scope);
    if (!isScalar(value)) {
      throw formatError(`The Value field of every Outputs member must evaluate to a String.`);
    }
    const exportName = output.exportName === undefined ? undefined : evaluate(output.exportName, scope);
    if (exportName !== undefined && typeof exportName !== 'string') {
      throw formatError(
        `Output ${key} is malformed. The Name field of every Export member must be a String.`,
      );
    }
    return [
      {
        key,
        value: String(value),
        ...(output.description === undefined ? {} : { description: output.description }),
        ...(exportName === undefined ? {} : { exportName }),
      },
    ];
  });
}

/** Asserts the template's rules on its parameters. @throws AwsServiceError ValidationError */
export function assertRules(template: Template, scope: Scope): void {
  for (const [name, rule] of Object.entries(template.rules)) {
    const assertions = isObject(rule) ? rule['Assertions'] : undefined;
    if (!isObject(rule) || !isList(assertions)) throw formatError(`Rule ${name} is malformed.`);
    const { RuleCondition: condition } = rule;
    if (condition !== undefined && !decide(condition, scope)) continue;
    for (const assertion of assertions) {
      const test = isObject(assertion) ? assertion['Assert'] : undefined;
      if (!isObject(assertion) || test === undefined) throw formatError(`Rule ${name} is malformed.`);
      if (decide(test, scope)) continue;
      const { AssertDescription: words } = assertion;
      throw validationError(
        `Template validation error: Rule ${name} is not satisfied${typeof words === 'string' ? `: ${words}` : ''}`,
      );
    }
  }
}
