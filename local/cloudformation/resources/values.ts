import { AwsServiceError } from '../../aws/plumbing.ts';
import { isList, isObject, isScalar, type TemplateObject, type TemplateValue } from '../template/value.ts';

/** Reads a property that is text where it is there. @throws AwsServiceError InvalidRequest */
export function textOf(properties: TemplateObject, name: string): string | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (!isScalar(value)) throw invalid(name, 'String');
  return String(value);
}

/** Reads a property that is text and has to be there. @throws AwsServiceError InvalidRequest */
export function neededText(properties: TemplateObject, name: string): string {
  const value = textOf(properties, name);
  if (value === undefined) throw invalid(name, 'String');
  return value;
}

/** Reads a property that is a number where it is there; text of one is a number too. @throws AwsServiceError InvalidRequest */
export function numberOf(properties: TemplateObject, name: string): number | undefined {
  const value = textOf(properties, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw invalid(name, 'Number');
  return number;
}

/** Reads a property that is a boolean where it is there; text of one is a boolean too. @throws AwsServiceError InvalidRequest */
export function flagOf(properties: TemplateObject, name: string): boolean | undefined {
  const value = textOf(properties, name);
  if (value === undefined) return undefined;
  if (value !== 'true' && value !== 'false') throw invalid(name, 'Boolean');
  return value === 'true';
}

/** Reads a property that is a list; an absent one is empty. @throws AwsServiceError InvalidRequest */
export function listOf(properties: TemplateObject, name: string): readonly TemplateValue[] {
  const value = properties[name] ?? [];
  if (!isList(value)) throw invalid(name, 'List');
  return value;
}

/** Reads a property that is a list of text; an absent one is empty. @throws AwsServiceError InvalidRequest */
export function textsOf(properties: TemplateObject, name: string): string[] {
  return listOf(properties, name).map((entry) => {
    if (!isScalar(entry)) throw invalid(name, 'List of String');
    return String(entry);
  });
}

/** Reads a property that is a policy or another document: an object, or JSON as text. @throws AwsServiceError InvalidRequest */
export function documentOf(properties: TemplateObject, name: string): string | undefined {
  const value = properties[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (!isObject(value)) throw invalid(name, 'Json');
  return JSON.stringify(value);
}

/** Reads a property that is an object where it is there. @throws AwsServiceError InvalidRequest */
export function objectIn(properties: TemplateObject, name: string): TemplateObject | undefined {
  const value = properties[name];
  if (value !== undefined && !isObject(value)) throw invalid(name, 'Object');
  return value;
}

/** Tags of a resource: its own before the stack's. */
export function tagsOf(
  properties: TemplateObject,
  stackTags: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = listOf(properties, 'Tags').map((tag): [string, string] => {
    if (!isObject(tag)) throw invalid('Tags', 'List of Tag');
    return [neededText(tag, 'Key'), textOf(tag, 'Value') ?? ''];
  });
  return { ...stackTags, ...Object.fromEntries(own) };
}

/** Refusal of a property's value. */
export function invalid(name: string, type: string): AwsServiceError {
  return new AwsServiceError(
    'InvalidRequest',
    `Properties validation failed: #/${name}: expected type: ${type}`,
  );
}

/** Whether an error is one of AWS's of this name. */
export function isRefusal(error: unknown, ...codes: readonly string[]): error is AwsServiceError {
  return error instanceof AwsServiceError && codes.includes(error.code);
}
