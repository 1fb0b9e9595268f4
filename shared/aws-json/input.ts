import { z } from 'zod';
import { AwsServiceError } from './errors.ts';

/**
 * Reads an operation's input. Members that the schema does not know are left out, as AWS does. The refusals are those
 * of AWS: SerializationException for a wrong type, ValidationException for values out of bounds, every one of which is
 * named, members by their lower-case names.
 * @throws AwsServiceError SerializationException, ValidationException
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => describeIssue(issue, input));
  const count = `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected`;
  throw new AwsServiceError('ValidationException', `${count}: ${problems.join('; ')}`);
}

/** Schema of a member that may be absent or null, which are the same to AWS. */
export function optional<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.output<Schema> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Schema of a blob: base64 in JSON, bounded in bytes. Messages never contain its value. */
export function blob(min: number, max: number): z.ZodType<Uint8Array> {
  return z.string().transform((text, context) => {
    const decoded = Buffer.from(text, 'base64');
    // The pattern is slow, and every encoder writes what this comparison finds.
    if (decoded.toString('base64') !== text && !BASE64.test(text)) {
      context.addIssue({ code: 'custom', params: { serialization: 'not base64' } });
      return z.NEVER;
    }
    const bytes = new Uint8Array(decoded);
    if (bytes.length < min) refuseLength(context, `greater than or equal to ${min}`);
    if (bytes.length > max) refuseLength(context, `less than or equal to ${max}`);
    return bytes;
  });
}

function refuseLength(context: z.RefinementCtx, bound: string): void {
  context.addIssue({ code: 'custom', message: `Member must have length ${bound}` });
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const path = formatPath(issue.path);
  const value = issue.path.reduce(getMember, input);
  if (value === undefined || value === null) {
    return `Value null at '${path}' failed to satisfy constraint: Member must not be null`;
  }
  if (issue.code === 'invalid_type') {
    throw unreadable(`${typeName(value)} can not be converted to ${issue.expected}`);
  }
  if (issue.code === 'custom') {
    if (typeof issue.params?.['serialization'] === 'string') throw unreadable(`'${path}' is not base64`);
    return `Value at '${path}' failed to satisfy constraint: ${issue.message}`;
  }
  const shown = typeof value === 'string' || typeof value === 'number' ? ` '${value}'` : '';
  return `Value${shown} at '${path}' failed to satisfy constraint: ${describeConstraint(issue)}`;
}

/** Describes a bound that was passed in the words of AWS. */
function describeConstraint(issue: z.core.$ZodIssue): string {
  if (issue.code === 'too_small') {
    return `Member must have ${measureOf(issue.origin)} greater than or equal to ${issue.minimum}`;
  }
  if (issue.code === 'too_big') {
    return `Member must have ${measureOf(issue.origin)} less than or equal to ${issue.maximum}`;
  }
  if (issue.code === 'invalid_value') {
    return `Member must satisfy enum value set: [${issue.values.map(String).join(', ')}]`;
  }
  if (issue.code === 'invalid_format') {
    const pattern = (issue.pattern ?? '').replace(/^\/(.*)\/[a-z]*$/, '$1');
    return `Member must satisfy regular expression pattern: ${pattern}`;
  }
  return 'Member is not valid';
}

function measureOf(origin: string): 'length' | 'value' {
  return origin === 'number' || origin === 'int' ? 'value' : 'length';
}

/** Formats a path as AWS does: `Tags[0].TagKey` is `tags.1.member.tagKey`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part) => {
      if (typeof part === 'number') return `${part + 1}.member`;
      const name = String(part);
      return name.slice(0, 1).toLowerCase() + name.slice(1);
    })
    .join('.');
}

function getMember(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<PropertyKey, unknown>)[name]
    : undefined;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'LIST_VALUE';
  return `${typeof value === 'object' ? 'STRUCTURE' : typeof value}_VALUE`.toUpperCase();
}

function unreadable(message: string): AwsServiceError {
  return new AwsServiceError('SerializationException', message);
}
