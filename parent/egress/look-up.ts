import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { LookUp } from './dial.ts';
import { readHostsFile } from './hosts-file.ts';

export type AddressFamily = 'any' | 'ipv4' | 'ipv6';

export interface LookUpOptions {
  readonly family?: AddressFamily;
  /** DNS servers as `Resolver.setServers` takes them; the system's when left out. */
  readonly servers?: readonly string[];
  /** File of names that need no server, as hosts(5) has them; `/etc/hosts` when left out. */
  readonly hostsFile?: string;
  readonly clock?: () => number;
}

interface Entry {
  readonly addresses: readonly string[];
  readonly freshUntil: number;
  readonly usableUntil: number;
}

const MIN_TTL_SECONDS = 1;
const MAX_TTL_SECONDS = 300;
/** Milliseconds for which an expired response serves while no DNS server responds. TLS within proves the host. */
const STALE_MS = 15 * 60_000;
const MAX_ENTRIES = 1_024;
/** Seconds for which an address of the hosts file holds. */
const HOSTS_TTL_SECONDS = 5;

/**
 * Looks names up in the hosts file, and then with c-ares, and keeps responses for their time to live. Unlike
 * getaddrinfo, c-ares occupies no thread of the pool, so that servers that do not respond hold up nothing else. Several
 * callers that wait for one name share one look-up.
 */
export function createLookUp(options: LookUpOptions = {}): LookUp {
  const { family = 'any', servers, hostsFile = '/etc/hosts', clock = () => performance.now() } = options;
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Promise<readonly string[]>>();

  async function ask(host: string): Promise<readonly string[]> {
    const version = family === 'ipv4' ? 4 : family === 'ipv6' ? 6 : undefined;
    const known = (await readHostsFile(hostsFile, host)).filter(
      (address) => version === undefined || isIP(address) === version,
    );
    if (known.length > 0) return keep(host, known, HOSTS_TTL_SECONDS);
    const answers = await Promise.allSettled([
      family === 'ipv6' ? [] : resolver.resolve4(host, { ttl: true }),
      family === 'ipv4' ? [] : resolver.resolve6(host, { ttl: true }),
    ]);
    const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const failure = answers.find((answer) => answer.status === 'rejected');
    const now = clock();
    if (records.length === 0) {
      const old = entries.get(host);
      if (old !== undefined && old.usableUntil > now) return old.addresses;
      throw failure?.reason ?? new Error('no address');
    }
    const ttl = Math.min(...records.map((record) => record.ttl), MAX_TTL_SECONDS);
    return keep(
      host,
      records.map(({ address }) => address),
      Math.max(ttl, MIN_TTL_SECONDS),
    );
  }

  function keep(host: string, addresses: readonly string[], ttlSeconds: number): readonly string[] {
    const freshUntil = clock() + ttlSeconds * 1_000;
    if (entries.size >= MAX_ENTRIES) entries.clear();
    entries.set(host, { addresses, freshUntil, usableUntil: freshUntil + STALE_MS });
    return addresses;
  }

  return async (host) => {
    if (isIP(host) !== 0) return [host];
    const entry = entries.get(host);
    if (entry !== undefined && entry.freshUntil > clock()) return entry.addresses;
    const asked = pending.get(host) ?? ask(host).finally(() => pending.delete(host));
    pending.set(host, asked);
    return await asked;
  };
}
