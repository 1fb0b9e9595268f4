/** Value of a template or of a resource's property: what JSON can say. */
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | TemplateObject;

/** Object of a template, without a prototype. */
export interface TemplateObject {
  readonly [name: string]: TemplateValue;
}

/** Whether a value is an object, not a list. */
export function isObject(value: TemplateValue | undefined): value is TemplateObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isList(value: TemplateValue | undefined): value is readonly TemplateValue[] {
  return Array.isArray(value);
}

/** Whether a value is text, a number or a boolean. */
export function isScalar(value: TemplateValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** Makes an object without a prototype, so that no inherited name is taken for a member. */
export function objectOf(entries: Iterable<readonly [string, TemplateValue]>): TemplateObject {
  const object = Object.create(null) as Record<string, TemplateValue>;
  for (const [name, value] of entries) object[name] = value;
  return object;
}

/**
 * Whether two values are the same to CloudFormation: the order of members does not count, and a number or boolean
 * equals its text, since parameters make text of both.
 */
export function isSame(left: TemplateValue | undefined, right: TemplateValue | undefined): boolean {
  if (isScalar(left) && isScalar(right)) return String(left) === String(right);
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  }
  if (isObject(left) && isObject(right)) {
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name]))
    );
  }
  return left === right;
}
