import { isAlias, isMap, isScalar, isSeq, parseDocument, type Node, type Pair } from 'yaml';
import { JsonError, parseJson, type JsonValue } from '../../../shared/json/index.ts';
import { formatError } from '../errors.ts';
import { isList, isObject, objectOf, type TemplateValue } from './value.ts';

/** Maximum of a template that is sent within a request, in bytes. Source: CloudFormation User Guide, "Quotas". */
export const MAX_INLINE_BYTES = 51_200;
/** Maximum of a template that is read from S3, in bytes. */
export const MAX_TEMPLATE_BYTES = 1_048_576;
const MAX_DEPTH = 48;

/** Functions that have a short form in YAML; `Ref` and `Condition` have no prefix in their long form. */
const SHORT_FORMS: ReadonlySet<string> = new Set([
  'And',
  'Base64',
  'Cidr',
  'Equals',
  'FindInMap',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Not',
  'Or',
  'Select',
  'Split',
  'Sub',
  'Contains',
  'EachMemberEquals',
  'EachMemberIn',
  'RefAll',
  'ValueOf',
  'ValueOfAll',
]);
/** Tags of YAML 1.1 that CloudFormation does not take. Source: User Guide, "Template formats". */
const UNSUPPORTED_TAGS = /:(?:binary|merge|omap|pairs|set|timestamp)$/;

/**
 * Reads a template's text, JSON or YAML 1.1, and writes YAML's short forms out: `!GetAtt A.B` becomes
 * `{"Fn::GetAtt": ["A", "B"]}`.
 * @throws AwsServiceError ValidationError
 */
export function readTemplate(text: string): TemplateValue {
  const value = text.trimStart().startsWith('{') ? (readJson(text) ?? readYaml(text)) : readYaml(text);
  if (!isObject(value)) throw formatError('unsupported structure.');
  assertNoNull(value, '');
  return value;
}

function readJson(text: string): TemplateValue | undefined {
  try {
    return copy(parseJson(text, { maxBytes: MAX_TEMPLATE_BYTES, maxDepth: MAX_DEPTH }));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.code === 'JSON_SYNTAX') return undefined;
    throw formatError(`JSON not well-formed. (${error.message})`);
  }
}

function copy(value: JsonValue): TemplateValue {
  return value;
}

function readYaml(text: string): TemplateValue {
  const document = parse(text);
  const [problem] = document.errors;
  if (problem !== undefined) {
    const [{ line, col }] = problem.linePos ?? [{ line: 1, col: 1 }];
    throw formatError(`YAML not well-formed. (line ${line}, column ${col})`);
  }
  if (document.contents === null) throw formatError('unsupported structure.');
  return readNode(document.contents, 0);
}

function parse(text: string): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text, {
      version: '1.1',
      logLevel: 'silent',
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !UNSUPPORTED_TAGS.test(tag.tag)),
    });
  } catch (error) {
    // The parser recurses, and hostile text may nest as deeply as it likes.
    if (error instanceof RangeError) throw formatError('YAML not well-formed. (nested too deeply)');
    throw error;
  }
}

function readNode(node: unknown, depth: number): TemplateValue {
  if (depth > MAX_DEPTH) throw formatError('YAML not well-formed. (nested too deeply)');
  if (node === null || node === undefined) return null;
  if (isAlias(node)) throw formatError('YAML aliases are not allowed in CloudFormation templates');
  if (isMap(node)) return applyTag(node, readMap(node.items, depth));
  if (isSeq(node)) {
    return applyTag(
      node,
      node.items.map((item) => readNode(item, depth + 1)),
    );
  }
  if (isScalar(node)) return applyTag(node, readScalar(node.value));
  throw formatError('unsupported structure.');
}

function readMap(items: readonly Pair[], depth: number): TemplateValue {
  return objectOf(
    items.map(({ key, value }): [string, TemplateValue] => {
      if (!isScalar(key)) throw formatError('unsupported structure.');
      if (key.value === '<<' || key.value === '__proto__') throw formatError(`unsupported key ${key.value}`);
      return [key.source ?? String(key.value), readNode(value, depth + 1)];
    }),
  );
}

function readScalar(value: unknown): TemplateValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw formatError('unsupported structure.');
}

function applyTag(node: Node, value: TemplateValue): TemplateValue {
  const { tag } = node;
  if (tag === undefined || !tag.startsWith('!') || tag === '!') return value;
  const name = tag.slice(1);
  if (name === 'Ref' || name === 'Condition') return objectOf([[name, value]]);
  if (!SHORT_FORMS.has(name)) throw formatError(`Unresolved tag: ${tag}`);
  return objectOf([
    [`Fn::${name}`, name === 'GetAtt' && typeof value === 'string' ? splitAttribute(value) : value],
  ]);
}

/** Splits `LogicalId.Attribute` at its first dot: attributes have dots, logical ids have none. */
function splitAttribute(text: string): TemplateValue {
  const at = text.indexOf('.');
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function assertNoNull(value: TemplateValue, path: string): void {
  if (value === null) throw formatError(`[${path}] 'null' values are not allowed in templates`);
  if (isList(value)) value.forEach((item, index) => assertNoNull(item, `${path}/${index}`));
  else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) assertNoNull(item, `${path}/${name}`);
  }
}
