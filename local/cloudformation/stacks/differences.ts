import { isCustom, type ResourceRegistry } from '../resources/registry.ts';
import type { PropertyUpdate } from '../resources/provider.ts';
import { isSame, type TemplateObject } from '../template/value.ts';

/** Property of a resource whose value is another, and what that brings. */
export interface PropertyDifference {
  readonly name: string;
  readonly update: PropertyUpdate;
}

/** Compares the properties of a resource with those that it is to have. */
export function compareProperties(
  registry: ResourceRegistry,
  type: string,
  before: TemplateObject,
  after: TemplateObject,
): PropertyDifference[] {
  const { properties } = registry.get(type);
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names]
    .filter((name) => !isSame(before[name], after[name]))
    .map((name) => ({ name, update: updateOf(properties, type, name) }));
}

function updateOf(
  properties: Readonly<Record<string, PropertyUpdate>>,
  type: string,
  name: string,
): PropertyUpdate {
  if (isCustom(type)) return name === 'ServiceToken' ? 'replacement' : 'in-place';
  return (Object.hasOwn(properties, name) ? properties[name] : undefined) ?? 'in-place';
}
