import { formatError, templateError } from '../errors.ts';
import { callOf, evaluate, type Scope } from './functions.ts';
import { isList, isObject, isSame, isScalar, type TemplateObject, type TemplateValue } from './value.ts';

/** Makes the conditions of a template answerable; each is decided once, when it is first asked for. */
export function makeConditions(
  conditions: TemplateObject,
  scopeOf: (condition: Scope['condition']) => Scope,
): Scope['condition'] {
  const decided = new Map<string, boolean>();
  const open: string[] = [];
  const condition = (name: string): boolean => {
    const known = decided.get(name);
    if (known !== undefined) return known;
    const definition = Object.hasOwn(conditions, name) ? conditions[name] : undefined;
    if (definition === undefined) {
      throw formatError(`Unresolved condition dependency ${name} in the Conditions block of the template`);
    }
    if (open.includes(name))
      throw formatError(`Circular dependency between conditions: [${open.join(', ')}]`);
    open.push(name);
    const holds = decide(definition, scope);
    open.pop();
    decided.set(name, holds);
    return holds;
  };
  const scope = scopeOf(condition);
  return condition;
}

/** Decides a condition's definition. @throws AwsServiceError ValidationError */
export function decide(definition: TemplateValue, scope: Scope): boolean {
  if (isObject(definition)) {
    const { Condition: name } = definition;
    if (typeof name === 'string' && Object.keys(definition).length === 1) return scope.condition(name);
    const call = callOf(definition);
    if (call !== undefined) return apply(call.name, call.argument, scope);
  }
  throw formatError('Every Conditions member must be a condition function.');
}

function apply(name: string, argument: TemplateValue, scope: Scope): boolean {
  const list = isList(argument) ? argument : [];
  switch (name) {
    case 'Fn::Equals': {
      if (list.length !== 2)
        throw templateError('every Fn::Equals object requires a list of 2 string parameters.');
      const [left, right] = list.map((side) => evaluate(side, scope));
      return isSame(left, right);
    }
    case 'Fn::Not':
      if (list.length !== 1 || list[0] === undefined) {
        throw templateError('every Fn::Not object requires one boolean parameter.');
      }
      return !decide(list[0], scope);
    case 'Fn::And':
    case 'Fn::Or': {
      if (list.length < 2 || list.length > 10) {
        throw templateError(
          `every ${name} object requires a list of at least 2 and at most 10 boolean parameters.`,
        );
      }
      const sides = list.map((side) => decide(side, scope));
      return name === 'Fn::And' ? sides.every(Boolean) : sides.some(Boolean);
    }
    case 'Fn::Contains': {
      const [whole, wanted] = list.map((side) => evaluate(side, scope));
      if (list.length !== 2 || !isList(whole) || !isScalar(wanted)) {
        throw templateError('every Fn::Contains object requires a list of strings and a string.');
      }
      return whole.some((entry) => isSame(entry, wanted));
    }
    default:
      throw formatError(`${name} is not a condition function.`);
  }
}
