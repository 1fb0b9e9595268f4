import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readFunction } from '../functions/code.ts';

/** A template of this folder. */
export type StackName = 'infrastructure' | 'node' | 'host';

export interface TemplateOptions {
  /** Number of nodes of the vault, for `infrastructure`: roles and outputs of each. Default: 1. */
  readonly nodes?: number;
}

/** As many nodes as have their place in one template in a request: CloudFormation takes 51,200 bytes. */
const MAX_NODES = 20;

/**
 * Reads a template as CloudFormation takes it in a request (51,200 bytes at most): functions that are small enough are
 * inside, and the code of the config signing function comes from the stack's own bucket, once it lies there.
 */
export async function readTemplate(name: StackName, { nodes = 1 }: TemplateOptions = {}): Promise<string> {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES)
    throw new RangeError(`nodes: expected an integer from 1 to ${MAX_NODES}, found ${nodes}`);
  const text = await readFile(join(import.meta.dirname, `${name}.yaml`), 'utf8');
  return await insertFunctions(repeatForNodes(text, nodes));
}

/**
 * Reads the template of a node's KMS stack with all code inside, for a person who has nothing but the template and the
 * console of CloudFormation, which puts it into S3 by itself (1 MB at most).
 */
export async function readConsoleTemplate(): Promise<string> {
  const { source } = await readFunction('config-signing');
  const text = await readTemplate('node');
  const place = /^( *)# holdfast:code config-signing\n *Code:\n *S3Bucket: .*\n *S3Key: .*\n/m;
  const parameter = /^ {2}ConfigSigningCode:\n(?: {4}.*\n)+/m;
  const described = [
    '  ConfigSigningCode:',
    '    Type: String',
    '    Default: inline',
    "    AllowedValues: [inline, '']",
    '    Description: The config signing function with the code of this template; empty for none.',
    '',
  ].join('\n');
  return replaceOnce(
    replaceOnce(text, parameter, () => described),
    place,
    (_match, indent: string) =>
      [`${indent}Code:`, `${indent}  ZipFile: |`, indentCode(source, `${indent}    `), ''].join('\n'),
  );
}

/** Repeats what the template has for node 1, between `# holdfast:each-node` and `# holdfast:end`. */
function repeatForNodes(text: string, nodes: number): string {
  return text.replaceAll(
    /^ *# holdfast:each-node\n((?:.*\n)*?) *# holdfast:end\n/gm,
    (_match, block: string) =>
      Array.from({ length: nodes }, (_, index) => numberBlock(block, index + 1)).join(''),
  );
}

/** Replaces the number 1 where it is a node's: at the end of names, after `node-`, and in prefixes of the bucket. */
function numberBlock(block: string, node: number): string {
  return block
    .replaceAll(/(Role|InstanceProfile|RoleArn|RoleName|InstanceProfileArn)1\b/g, `$1${node}`)
    .replaceAll(/\b(node-|node |host )1\b/g, `$1${node}`)
    .replaceAll('/1/*', `/${node}/*`);
}

async function insertFunctions(text: string): Promise<string> {
  const place = /^( *)ZipFile: '\{\{holdfast:function:([a-z-]+)\}\}'$/m;
  const [whole, indent = '', name] = place.exec(text) ?? [];
  if (whole === undefined) return text;
  if (name !== 'populate-secret')
    throw new TypeError(`expected a function that fits into a template, found ${name}`);
  const { source } = await readFunction(name);
  return text.replace(whole, () => `${indent}ZipFile: |\n${indentCode(source, `${indent}  `)}`);
}

function indentCode(source: string, indent: string): string {
  return source
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `${indent}${line}`))
    .join('\n');
}

function replaceOnce(text: string, place: RegExp, replacement: (...groups: string[]) => string): string {
  if (!place.test(text)) throw new TypeError(`expected ${place} in the template`);
  return text.replace(place, replacement);
}
