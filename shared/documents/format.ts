import type * as z from 'zod';

/** A kind of document, and its versions by the `format` member that each of them carries. */
export interface DocumentKind<T> {
  /** The name for people: `manifest`. */
  readonly noun: string;
  /** A further version is one more entry. */
  readonly formats: ReadonlyMap<string, z.ZodType<T>>;
  /** Makes the error that is thrown for a value that is no such document; `details.field` says where. */
  readonly refuse: (message: string, details: Record<string, unknown>) => Error;
}

/** Reads the `format` of a document first, then parses the document by the schema of that format. */
export function parseByFormat<T>(value: unknown, { noun, formats, refuse }: DocumentKind<T>): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse(`not a ${noun}`, { field: '', problem: 'expected an object' });
  }
  const { format } = value as { format?: unknown };
  const schema = typeof format === 'string' ? formats.get(format) : undefined;
  if (schema === undefined) {
    const known = [...formats.keys()].join(', ');
    throw refuse(`not a ${noun} of a known format: ${known}`, {
      field: 'format',
      problem: `expected ${known}`,
    });
  }
  const parsed = schema.safeParse(value, { error: describeMissing });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`not a ${noun}`, { field: issue?.path.join('.'), problem: issue?.message });
}

/** Says of a member that is not there what is wrong, in place of the type that undefined lacks. */
function describeMissing({ code, input }: z.core.$ZodRawIssue): string | undefined {
  return code === 'invalid_type' && input === undefined ? 'the member is missing' : undefined;
}
