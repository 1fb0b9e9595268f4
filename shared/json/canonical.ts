/** A value that {@link encodeCanonicalJson} takes: JSON without numbers that are no safe integers. */
export type CanonicalJson =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalJson[]
  | { readonly [member: string]: CanonicalJson | undefined };

/**
 * Encodes a value as canonical JSON (RFC 8785): members in the order of their names by UTF-16 code units, no blanks.
 * Members that are undefined are left out. Two encoders give the same bytes for the same value.
 *
 * @throws RangeError for a number that is no safe integer, or text with a lone surrogate
 */
export function encodeCanonicalJson(value: CanonicalJson): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(write(value));
}

function write(value: CanonicalJson): string {
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`expected a safe integer, found ${value}`);
    return String(value);
  }
  if (value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `[${(value as readonly CanonicalJson[]).map(write).join(',')}]`;
  const members = Object.entries(value as Record<string, CanonicalJson | undefined>)
    .filter((member): member is [string, CanonicalJson] => member[1] !== undefined)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${writeText(name)}:${write(member)}`);
  return `{${members.join(',')}}`;
}

function writeText(text: string): string {
  if (!text.isWellFormed()) throw new RangeError('expected text without lone surrogates');
  return JSON.stringify(text);
}
