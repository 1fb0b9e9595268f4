import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Blocks that an egress connection reaches only where a target writes them out: everything that
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

/**
 * Blocks within 2000::/3 that carry an IPv4 address or are examples. No address outside of 2000::/3 is globally
 * reachable.
 */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

/** Addresses of the instance's metadata service, at which any program gets the credentials of the instance's role. */
export const METADATA_BLOCKS: readonly string[] = ['169.254.169.254/32', 'fd00:ec2::254/128'];

/**
 * Blocks that no setting for all targets opens: this machine itself, its link with the instance's own services
 * (metadata, DNS and time), multicast, and tunnels whose addresses hold another one.
 */
const CLOSED_BLOCKS: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127',
  '2001::/32',
  '2002::/16',
  'fd00:ec2::/32',
  'fe80::/10',
  'ff00::/8',
];

/** Finds the first of the closed blocks that overlaps a block. @throws RangeError for what is no CIDR block */
export function findClosedBlock(block: string, closed: readonly string[]): string | undefined {
  const own = createBlockList([block]);
  return closed.find((one) => own.check(...start(one)) || createBlockList([one]).check(...start(block)));
}

/** Describes in words why a block may not be opened for all targets; undefined where it may. */
export function describeNetworkFault(block: string): string | undefined {
  try {
    const closed = findClosedBlock(block, CLOSED_BLOCKS);
    return closed === undefined ? undefined : `a block without ${closed} is expected, which stays closed`;
  } catch {
    return 'a CIDR block such as 10.1.3.0/24 is expected';
  }
}

function start(block: string): [string, 'ipv4' | 'ipv6'] {
  const [address = ''] = block.split('/');
  return [address, isIPv6(address) ? 'ipv6' : 'ipv4'];
}

/** Builds a block list. @throws RangeError for what is no CIDR block */
export function createBlockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix = '', ...rest] = block.split('/');
    const family = isIP(address);
    const bits = /^(0|[1-9][0-9]{0,2})$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (family === 0 || rest.length > 0 || !(bits <= (family === 4 ? 32 : 128))) {
      throw new RangeError(`expected a CIDR block, found ${block}`);
    }
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

const special = createBlockList([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
const global6 = createBlockList(['2000::/3']);

/** Spells an IPv6 address in one way: RFC 5952 without dotted quads, and without its zone. */
export function canonicalAddress(address: string): string {
  return new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
}

/** Turns `::ffff:a.b.c.d`, in any spelling, into the IPv4 address that a socket would reach. */
function unmap(address: string): string {
  if (!isIPv6(address)) return address;
  const canonical = canonicalAddress(address);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  return mapped === null ? canonical : dottedQuad(mapped[1], mapped[2]);
}

/** The IPv4 address that a translator would reach for an address of the well-known prefix (RFC 6052, 2.1). */
function translate(canonical: string): string | undefined {
  const groups = /^64:ff9b::(?:(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4}))?$/.exec(canonical);
  return groups === null ? undefined : dottedQuad(groups[1], groups[2]);
}

function dottedQuad(...groups: readonly (string | undefined)[]): string {
  return groups
    .map((group) => Number.parseInt(group ?? '0', 16))
    .flatMap((number) => [number >> 8, number & 255])
    .join('.');
}

/** Tells whether a connection may go to an address: a public one, or one in the blocks that a target writes out. */
export function isAddressAllowed(address: string, writtenOut: BlockList | undefined): boolean {
  const plain = unmap(address);
  const family = isIP(plain);
  if (family === 0) return false;
  const name = family === 4 ? 'ipv4' : 'ipv6';
  // RFC 6052, 3.1: such an address never stands for one that is not globally reachable, whoever writes its block out.
  const translated = translate(plain);
  if (translated !== undefined && special.check(translated, 'ipv4')) return false;
  if (writtenOut?.check(plain, name) === true) return true;
  return !special.check(plain, name) && (family === 4 || global6.check(plain, 'ipv6'));
}
