import type { PermitRule } from '../shared/documents/configuration.ts';

export type Rate = NonNullable<PermitRule['rate']>;

/**
 * Token buckets, one for each rule. Credit is counted in requests × milliseconds, so that whole numbers stay exact:
 * each millisecond adds `count`, a request costs `seconds` × 1000, and the bucket holds `count` requests.
 */
export interface RateLimits {
  readonly credit: Float64Array;
  readonly updatedAt: Float64Array;
}

/**
 * Creates empty buckets: what a node permitted before its restart is not known, and must not be permitted twice.
 *
 * @param now milliseconds of a monotonic clock
 */
export function createRateLimits(rules: number, now: number): RateLimits {
  return { credit: new Float64Array(rules), updatedAt: new Float64Array(rules).fill(now) };
}

/** Computes the cost of one request, in requests × milliseconds. */
const costOf = (rate: Rate) => rate.seconds * 1000;

/** Takes one request out of a bucket, if one is in it. A clock that ran backwards grants nothing. */
export function takeToken(limits: RateLimits, index: number, rate: Rate, now: number): boolean {
  const credit = limits.credit[index];
  const updatedAt = limits.updatedAt[index];
  if (credit === undefined || updatedAt === undefined || !(now >= updatedAt)) return false;
  const cost = costOf(rate);
  const refilled = Math.min(credit + (now - updatedAt) * rate.count, rate.count * cost);
  const taken = refilled >= cost;
  limits.credit[index] = taken ? refilled - cost : refilled;
  limits.updatedAt[index] = now;
  return taken;
}

/** Computes the milliseconds from `now` until a bucket that was just found empty has a request in it again. */
export function waitForToken(limits: RateLimits, index: number, rate: Rate, now: number): number {
  const credit = limits.credit[index] ?? 0;
  const updatedAt = limits.updatedAt[index] ?? now;
  return Math.ceil(updatedAt - now + (costOf(rate) - credit) / rate.count);
}
