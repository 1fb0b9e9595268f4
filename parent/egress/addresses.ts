import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Addresses that an egress connection goes to only when they are written out (P55): everything that
 * https://www.iana.org/assignments/iana-ipv4-special-registry does not call globally reachable, and multicast.
 */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

/** Within 2000::/3, outside of which no address is globally reachable: tunnels that carry an IPv4 address, examples. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** @throws RangeError for what is no CIDR block */
export function createBlockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix = '', ...rest] = block.split('/');
    const family = isIP(address);
    const bits = /^(0|[1-9][0-9]{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || rest.length > 0 || !(bits <= (family === 4 ? 32 : 128))) {
      throw new RangeError(`not a CIDR block: ${block}`);
    }
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const special = createBlockList([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
const global6 = createBlockList(['2000::/3']);

/** `::ffff:a.b.c.d`, in any spelling, is the IPv4 address that a socket would reach. */
function unmap(address: string): string {
  if (!isIPv6(address)) return address;
  // The URL parser gives the one canonical spelling: RFC 5952 without dotted quads.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped === null) return canonical;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** Whether a connection may go to an address: a public one, or one in the blocks that a target writes out. */
export function isAddressAllowed(address: string, writtenOut: BlockList | undefined): boolean {
  const plain = unmap(address);
  const family = isIP(plain);
  if (family === 0) return false;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  if (writtenOut?.check(plain, name) === true) return true;
  return !special.check(plain, name) && (family === 4 || global6.check(plain, 'ipv6'));
}
