/** What a registry wants before it answers. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string; readonly scope?: string };

const MAX_CHALLENGE_LENGTH = 4096;
const PARAMETER = /([a-z]+)="([^"\\]*)"/gi;

/**
 * Parses the header `WWW-Authenticate` of a registry.
 *
 * @returns undefined for a scheme that registries do not use
 *
 * Source: RFC 9110, section 11.6.1; CNCF Distribution, "Token Authentication Specification".
 */
export function parseChallenge(header: string | readonly string[] | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  if (text === undefined || text.length > MAX_CHALLENGE_LENGTH) return undefined;
  const [, scheme = '', rest = ''] = /^([a-z]+)(?:\s+(.*))?$/is.exec(text) ?? [];
  if (scheme.toLowerCase() === 'basic') return { scheme: 'basic' };
  if (scheme.toLowerCase() !== 'bearer') return undefined;
  const parameters = new Map(
    [...rest.matchAll(PARAMETER)].map(([, name = '', value = '']) => [name.toLowerCase(), value]),
  );
  const [realm, service, scope] = ['realm', 'service', 'scope'].map((name) => parameters.get(name));
  if (realm === undefined) return undefined;
  return {
    scheme: 'bearer',
    realm,
    ...(service === undefined ? {} : { service }),
    ...(scope === undefined ? {} : { scope }),
  };
}
