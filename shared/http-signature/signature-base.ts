import { HttpSignatureError } from './errors.ts';

export const SESSION_FIELD = 'holdfast-session';
export const SIGNATURE_TAG = 'holdfast';

/*
 * The components that a signature covers. The authority is left out: clients reach a node by whatever address forwards
 * to it, and the session, which only one boot of one attested node has, says more surely for whom a request is meant.
 */
const BARE_COMPONENTS = ['@method', '@path', '@query', SESSION_FIELD] as const;
const BODY_COMPONENTS = [...BARE_COMPONENTS, 'content-digest', 'content-type'] as const;
export type Component = (typeof BODY_COMPONENTS)[number];

/** Lists the components of a request with or without a body, in their one order. */
export function listComponents(hasBody: boolean): readonly Component[] {
  return hasBody ? BODY_COMPONENTS : BARE_COMPONENTS;
}

/** Serialises the covered components as an inner list of strings (RFC 9651, 4.1.1.1). */
export function serialiseComponents(components: readonly string[]): string {
  return `(${components.map((name) => `"${name}"`).join(' ')})`;
}

/**
 * Builds the signature base, the bytes that are signed (RFC 9421, 2.5).
 *
 * @param components names and values, ASCII without line breaks
 * @param parameters the value of the Signature-Input member: the component list with its parameters
 */
export function buildSignatureBase(
  components: readonly (readonly [name: string, value: string])[],
  parameters: string,
): Buffer {
  const lines = components.map(([name, value]) => `"${name}": ${value}\n`);
  return Buffer.from(`${lines.join('')}"@signature-params": ${parameters}`, 'latin1');
}

const METHOD = /^[A-Z]{1,16}$/;
const PATH = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/;
const QUERY = /^[A-Za-z0-9._~=&-]*$/;
const MAX_TARGET_LENGTH = 1024;

/**
 * Derives components of a request (RFC 9421, 2.2). Only targets that mean the same before and after
 * normalisation are taken: absolute paths without escapes, empty, hidden or dot segments.
 *
 * @throws HttpSignatureError SIGNATURE_MALFORMED
 */
export function deriveComponents(
  method: string,
  target: string,
): Readonly<Record<'@method' | '@path' | '@query', string>> {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (
    target.length > MAX_TARGET_LENGTH ||
    !METHOD.test(method) ||
    !PATH.test(path) ||
    !QUERY.test(query) ||
    mark === target.length - 1
  ) {
    throw new HttpSignatureError(
      'SIGNATURE_MALFORMED',
      'expected a method in capitals and a plain absolute path and query',
    );
  }
  return { '@method': method, '@path': path, '@query': `?${query}` };
}
