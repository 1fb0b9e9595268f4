import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { GatewayListen } from './listen.ts';

/** Refusal of what may come from a page in a browser. */
export type PageRefusal = 'PAGE_REFUSED';

/**
 * Refuses a request that may come from a page in a browser on this host, which reaches loopback as well as programs do: it names
 * its origin (RFC 6454, section 7; the Fetch Standard has it in every POST from elsewhere), says that another site has
 * caused it (Fetch Metadata), or names a host of the DNS, which somebody may have pointed at loopback since (DNS rebinding).
 *
 * @param isAuthenticated whether the protocol authenticates every request
 */
export function refusePage(
  headers: IncomingHttpHeaders,
  listen: GatewayListen,
  isAuthenticated: boolean,
): PageRefusal | undefined {
  // No page reaches a socket of the file system.
  if ('unix' in listen) return undefined;
  const { origin, host = '' } = headers;
  const site = headers['sec-fetch-site'] ?? 'none';
  // A certificate is for the names that the door has, and a name proves nothing where each request is signed.
  const mayBeRebound = !isAuthenticated && listen.tls === undefined && isOfDns(host);
  return origin !== undefined || site !== 'none' || mayBeRebound ? 'PAGE_REFUSED' : undefined;
}

/** Whether a Host is a name that the DNS may give to anybody: with a dot, and not below `localhost` (RFC 6761, 6.3). */
function isOfDns(host: string): boolean {
  const name = host
    .replace(/:[0-9]*$/, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return name.includes('.') && isIP(name) === 0 && !name.startsWith('[') && !name.endsWith('.localhost');
}
