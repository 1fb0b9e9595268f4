import facts from './type-facts.json' with { type: 'json' };
import type { PropertyUpdate, ResourceProvider } from './provider.ts';

/** Types that the stand-in knows. */
export type ResourceType = keyof typeof facts;

/**
 * Completes a provider by what AWS's resource schemas say of its type: properties, what their change brings, attributes.
 * Source: CloudFormation registry, schemas of Amazon's public resource types.
 */
export function providerOf(
  type: ResourceType,
  work: Pick<ResourceProvider, 'create' | 'update' | 'delete' | 'volatileAttributes'>,
): ResourceProvider {
  const { required, attributes, replacement, conditional, inPlace } = facts[type];
  const all: readonly (readonly [PropertyUpdate, readonly string[]])[] = [
    ['replacement', replacement],
    ['conditional', conditional],
    ['in-place', inPlace],
  ];
  return {
    properties: Object.fromEntries(all.flatMap(([update, names]) => names.map((name) => [name, update]))),
    required,
    attributes,
    ...work,
  };
}
