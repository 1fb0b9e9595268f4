/** Values that are written as HOCON: text, whole numbers, truth values, and objects of them. */
export type HoconSource = string | number | boolean | { readonly [key: string]: HoconSource | undefined };

/**
 * Writes a value as HOCON that has one reading: strings in quotes, because a URL or an ARN without them is a syntax error
 * (HOCON.md, "Unquoted strings"). Members that are undefined are left out.
 */
export function writeHocon(value: HoconSource, indent = ''): string {
  if (typeof value === 'string') return quoteHocon(value);
  if (typeof value !== 'object') return String(value);
  const lines = Object.entries(value).flatMap(([key, member]) => {
    if (member === undefined) return [];
    const between = typeof member === 'object' ? ' ' : ' = ';
    return [`${indent}  ${writeKey(key)}${between}${writeHocon(member, `${indent}  `)}`];
  });
  return ['{', ...lines, `${indent}}`].join('\n');
}

/** Quotes a string as HOCON and JSON both read it. */
export function quoteHocon(text: string): string {
  return JSON.stringify(text);
}

function writeKey(key: string): string {
  return /^[A-Za-z][A-Za-z0-9-]*$/.test(key) ? key : quoteHocon(key);
}
