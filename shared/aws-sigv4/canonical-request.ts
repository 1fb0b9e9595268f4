import { createHash } from 'node:crypto';

/**
 * How a path is signed: S3 encodes each segment once, every other service encodes the path as it was sent once more.
 * Source: IAM User Guide, "Create a signed AWS API request", step 1.
 */
export type PathEncoding = 'once' | 'twice';

/** Head of a request. Header names are lower-case, repeated values joined as RFC 9110 says. */
export interface RequestHead {
  readonly method: string;
  /** Path as it was sent, still encoded. */
  readonly path: string;
  /** Query string as it was sent, without the question mark. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** Splits a request target into path and query. */
export function splitTarget(url: string): { readonly path: string; readonly query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

/** Hash of a canonical request in hex. */
export function hashCanonicalRequest(
  { method, path, query, headers }: RequestHead,
  signedHeaders: readonly string[],
  payloadHash: string,
  encoding: PathEncoding,
): string {
  const lines = signedHeaders.map((name) => `${name}:${canonicalValue(headers.get(name) ?? '')}\n`).join('');
  const canonical = [
    method,
    canonicalPath(path, encoding),
    canonicalQuery(query),
    lines,
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
  return sha256(canonical);
}

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Encodes bytes as RFC 3986 asks, everything but unreserved characters. */
export function encodeUri(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Decodes percent escapes; undefined for text that is no UTF-8, or escapes that are none. */
export function decodeUri(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Splits a query into decoded names and values, a plus sign being a plus sign. */
export function parseQuery(query: string): [string, string][] {
  if (query === '') return [];
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? '' : pair.slice(equals + 1);
    return [decodeUri(name) ?? name, decodeUri(value) ?? value];
  });
}

function canonicalPath(path: string, encoding: PathEncoding): string {
  const segments = path.split('/');
  const encode = (segment: string): string =>
    encodeUri(encoding === 'once' ? (decodeUri(segment) ?? segment) : segment);
  return segments.map(encode).join('/');
}

function canonicalQuery(query: string): string {
  return parseQuery(query)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encodeUri(name), encodeUri(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}

function canonicalValue(value: string): string {
  return value.trim().replace(/ +/g, ' ');
}
