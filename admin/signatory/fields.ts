/** Names and indices from the root of a document to one of its values. */
export type FieldPath = readonly (string | number)[];

/** Writes a path for people: `tezos.tz1….allow.generic.0`. */
export const printPath = (path: FieldPath): string => path.join('.');

/** Finds the value at a path; undefined where the document has none. */
export function findPart(document: unknown, path: FieldPath): { readonly value: unknown } | undefined {
  let value = document;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return { value };
}

/** Lists the fields of a document: the paths of all values that hold no others, empty lists and objects among them. */
export function listFields(value: unknown, path: FieldPath = []): FieldPath[] {
  const entries: [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [index, item])
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : [];
  if (entries.length === 0) return [path];
  return entries.flatMap(([name, inner]) => listFields(inner, [...path, name]));
}
