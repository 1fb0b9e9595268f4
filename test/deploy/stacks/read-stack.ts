import { parse } from 'yaml';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Record<string, unknown>;
  readonly Properties: Record<string, unknown>;
}

/** A template as data; functions of the short form are what they are called with. */
export interface Template {
  readonly Parameters: Record<string, Record<string, unknown>>;
  readonly Resources: Record<string, Resource>;
  readonly Outputs: Record<string, unknown>;
}

const FUNCTIONS = [
  '!Condition',
  '!Ref',
  '!Sub',
  '!GetAtt',
  '!Equals',
  '!Not',
  '!And',
  '!If',
  '!Join',
  '!Select',
  '!Split',
];

/** Reads a template for a test that looks at what stands there. */
export function readStack(text: string): Template {
  const plain = (tag: string) => [
    { tag, resolve: (value: string) => value },
    { tag, collection: 'seq' as const, resolve: (value: unknown) => value },
  ];
  return parse(text, { customTags: FUNCTIONS.flatMap(plain) as never }) as Template;
}

/** Properties of all resources of a type. */
export function propertiesOf({ Resources }: Template, type: string): Record<string, unknown>[] {
  return Object.values(Resources)
    .filter(({ Type }) => Type === type)
    .map(({ Properties }) => Properties);
}
