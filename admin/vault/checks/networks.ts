/** Ranges of IPv4 addresses (RFC 4632), as vault.yaml has them: `10.0.0.0/16`. */

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Number of leading bits that all addresses of a range have in common. */
export function sizeOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1));
}

/** Tells whether an address is in both ranges. */
export function areOverlapping(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first <= b.last && b.first <= a.last;
}

/** Tells whether a range has an address; false for what is no IPv4 address. */
export function isWithin(cidr: string, address: string): boolean {
  if (!/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(address)) return false;
  const { first, last } = rangeOf(cidr);
  const number = toNumber(address);
  return first <= number && number <= last;
}

function rangeOf(cidr: string): Range {
  const size = 2 ** (32 - sizeOf(cidr));
  const first = Math.floor(toNumber(cidr.slice(0, cidr.indexOf('/'))) / size) * size;
  return { first, last: first + size - 1 };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}
