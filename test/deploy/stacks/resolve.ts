import { parse } from 'yaml';

/** Values of parameters and pseudo parameters; lists for those that are lists. */
export type Values = Readonly<Record<string, string | readonly string[]>>;

interface Raw {
  readonly Parameters: Record<string, { readonly Type: string; readonly Default?: string | number }>;
  readonly Conditions: Record<string, unknown>;
  readonly Resources: Record<
    string,
    { readonly Properties: Record<string, unknown>; readonly Condition?: string }
  >;
}

const TAGS = ['Ref', 'Sub', 'GetAtt', 'Equals', 'Not', 'And', 'If', 'Join', 'Select'];
const ABSENT = Symbol('AWS::NoValue');

/** Parses a template into objects whose functions are `{ 'Fn::…': … }`. */
function parseTemplate(text: string): Raw {
  const tags = TAGS.flatMap((tag) => [
    { tag: `!${tag}`, resolve: (value: string) => ({ [`Fn::${tag}`]: value }) },
    {
      tag: `!${tag}`,
      collection: 'seq' as const,
      resolve: (value: { toJSON(): unknown }) => ({ [`Fn::${tag}`]: value.toJSON() }),
    },
  ]);
  return parse(text, { customTags: tags as never }) as Raw;
}

/** Resolves properties of a resource by values of parameters and attributes. */
export type Resolver = (resource: string, given: Values, attributes?: Values) => unknown;

/** Reads a template, to resolve its properties as CloudFormation does, as far as these templates use its functions. */
export function createResolver(text: string): Resolver {
  const template = parseTemplate(text);
  return (resource, given, attributes = {}) =>
    resolveProperties(template, resource, { ...given, ...attributes });
}

function resolveProperties(template: Raw, resource: string, given: Values): unknown {
  const values: Record<string, string | readonly string[]> = {
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-central-1',
    'AWS::AccountId': '111111111111',
    'AWS::URLSuffix': 'amazonaws.com',
  };
  for (const [name, { Type, Default }] of Object.entries(template.Parameters)) {
    if (Default !== undefined)
      values[name] = Type === 'CommaDelimitedList' ? [String(Default)] : String(Default);
  }
  Object.assign(values, given);
  const holds = (name: string): boolean => resolve(template.Conditions[name]) === true;
  const read = (name: string) => {
    if (name === 'AWS::NoValue') return ABSENT;
    if (values[name] === undefined) throw new TypeError(`nobody gave ${name}`);
    return values[name];
  };
  function call(name: string, argument: unknown): unknown {
    const list = argument as unknown[];
    switch (name) {
      case 'Fn::Ref':
      case 'Fn::GetAtt':
        return read(argument as string);
      case 'Fn::Sub':
        return (argument as string).replaceAll(/\$\{([^}]+)\}/g, (_match, variable: string) =>
          String(read(variable)),
        );
      case 'Fn::Join':
        return (resolve(list[1]) as string[]).join(list[0] as string);
      case 'Fn::Select':
        return (resolve(list[1]) as string[])[list[0] as number];
      case 'Fn::Equals':
        return resolve(list[0]) === resolve(list[1]);
      case 'Fn::Not':
        return resolve(list[0]) !== true;
      case 'Fn::And':
        return list.every((each) => resolve(each) === true);
      case 'Fn::If':
        return resolve(holds(list[0] as string) ? list[1] : list[2]);
      default:
        throw new TypeError(`an unknown function ${name}`);
    }
  }
  function resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(resolve).filter((each) => each !== ABSENT);
    if (typeof value !== 'object' || value === null) return value;
    const [[name, argument] = ['', undefined], ...rest] = Object.entries(value);
    if (rest.length === 0 && name.startsWith('Fn::')) return call(name, argument);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolve(each)]));
  }
  return resolve(template.Resources[resource]?.Properties);
}
