import { parseIpRange } from './ip-address.ts';

/** Numbers in order, one of each kind that the thresholds tell apart: below, between, above and on them. */
function samplesAround(thresholds: readonly number[], step: number): number[] {
  const sorted = [...new Set(thresholds)].sort((a, b) => a - b);
  const [first] = sorted;
  if (first === undefined) return [0];
  return [first - step, ...sorted.flatMap((value, at) => [value, ...between(value, sorted[at + 1], step)])];
}

function between(value: number, next: number | undefined, step: number): number[] {
  if (next === undefined) return [value + step];
  const middle = value + (next - value) / 2;
  return middle > value && middle < next ? [middle] : [];
}

/** Decimal numbers for conditions with these thresholds. */
export function sampleNumbers(thresholds: readonly number[]): string[] {
  return samplesAround(thresholds, 1)
    .map((value) => value.toFixed(20).replace(/\.?0+$/, ''))
    .filter((text) => !text.includes('e'));
}

const FIRST_TIME = Date.parse('0000-01-02T00:00:00Z');
const LAST_TIME = Date.parse('9999-12-30T00:00:00Z');

/**
 * Times in ISO 8601, from `from` on, for conditions with these thresholds, all in milliseconds since 1970. They are
 * not `whole` where a threshold is beyond the years that can be written.
 */
export function sampleTimes(
  thresholds: readonly number[],
  from: number,
): { readonly values: string[]; readonly whole: boolean } {
  const start = Number.isFinite(from) ? [from] : [];
  const all = samplesAround([...start, ...thresholds], 1000).map((time) => Math.floor(time));
  const times = all.filter((time) => time >= from && time >= FIRST_TIME && time <= LAST_TIME);
  const whole = thresholds.every((time) => time > FIRST_TIME && time < LAST_TIME);
  return { values: [...new Set(times)].map((time) => new Date(time).toISOString()), whole };
}

/** IP addresses, one of each kind that the ranges tell apart: their ends, what is beside those, and the first of all. */
export function sampleAddresses(ranges: readonly string[]): string[] {
  const ends = ranges.flatMap((text) => {
    const range = parseIpRange(text);
    if (range === undefined) return [];
    const size = 1n << BigInt(range.bits - range.prefix);
    const start = (range.value / size) * size;
    return [start - 1n, start, start + size - 1n, start + size].map((value) => ({ bits: range.bits, value }));
  });
  const addresses = [{ bits: 32 as const, value: 1n }, { bits: 128 as const, value: 1n }, ...ends]
    .filter(({ bits, value }) => value >= 0n && value < 1n << BigInt(bits))
    .map(({ bits, value }) => (bits === 32 ? formatIpv4(value) : formatIpv6(value)));
  return [...new Set(addresses)];
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function formatIpv6(value: bigint): string {
  return Array.from({ length: 8 }, (_, at) => ((value >> BigInt(112 - 16 * at)) & 0xffffn).toString(16)).join(
    ':',
  );
}
