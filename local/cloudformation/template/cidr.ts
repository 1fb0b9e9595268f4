import { templateError } from '../errors.ts';

const ADDRESS = /^([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\/([0-9]{1,2})$/;
const MAX_BLOCKS = 256;

/**
 * Divides a block of IPv4 addresses: the first `count` blocks whose host part has `bits` bits.
 * Source: CloudFormation User Guide, "Fn::Cidr".
 * @throws AwsServiceError ValidationError
 */
export function divideBlock(block: string, count: number, bits: number): string[] {
  const parts = ADDRESS.exec(block)?.slice(1).map(Number);
  const prefix = parts?.[4] ?? 33;
  const octets = parts?.slice(0, 4) ?? [];
  if (parts === undefined || prefix > 32 || octets.some((octet) => octet > 255)) {
    throw templateError(`Fn::Cidr contains invalid ipBlock: ${block}`);
  }
  if (!Number.isInteger(count) || count < 1 || count > MAX_BLOCKS) {
    throw templateError('every Fn::Cidr object requires a count from 1 to 256');
  }
  if (!Number.isInteger(bits) || bits < 0 || bits > 32) {
    throw templateError('every Fn::Cidr object requires cidrBits from 0 to 32');
  }
  const size = 2 ** bits;
  const whole = 2 ** (32 - prefix);
  const start = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const base = start - (start % whole);
  if (count * size > whole) {
    throw templateError(`Fn::Cidr could not divide ${block} into ${count} blocks of ${bits} bits`);
  }
  return Array.from({ length: count }, (_, index) => `${formatAddress(base + index * size)}/${32 - bits}`);
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
