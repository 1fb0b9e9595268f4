/** Draws numbers that a seed decides (mulberry32). */
export interface RandomSource {
  /** An integer from 0 to below `end`. */
  below(end: number): number;
  /** True once in `times`. */
  once(times: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  bytes(length: number): Uint8Array;
  /** An integer below 2^bits: small, near the end, or anything between. */
  integer(bits: number): bigint;
}

export function createRandomSource(seed: number): RandomSource {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  const bytes = (length: number) => Uint8Array.from({ length }, () => below(256));
  return {
    below,
    once: (times) => below(times) === 0,
    pick: (values) => {
      const value = values[below(values.length)];
      if (value === undefined) throw new RangeError('nothing to pick from');
      return value;
    },
    bytes,
    integer(bits) {
      const kind = below(6);
      if (kind === 0) return 0n;
      if (kind === 1) return BigInt(below(256));
      if (kind === 2) return (1n << BigInt(bits)) - 1n - BigInt(below(3));
      return BigInt(`0x${Buffer.from(bytes(1 + below(Math.ceil(bits / 8)))).toString('hex')}`);
    },
  };
}
