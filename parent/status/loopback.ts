import { isIP } from 'node:net';
import { createBlockList } from '../egress/addresses.ts';

const loopback = createBlockList(['127.0.0.0/8', '::1/128']);

/** Tells whether an IP address is this machine's own alone. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
