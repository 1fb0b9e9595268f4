/** An amount that left at a moment, in milliseconds since 1970 by the NSM. */
export interface Spending {
  readonly at: number;
  readonly amount: bigint;
}

/** The most spendings that a window remembers apart; beyond them, neighbours become one. */
export const MAX_SPENDINGS = 32;

/** Sums what was spent after `since`. */
export function sumAfter(spendings: readonly Spending[], since: number): bigint {
  let sum = 0n;
  for (const { at, amount } of spendings) if (at > since) sum += amount;
  return sum;
}

/**
 * Adds a spending to those after `since`. Where there are too many, the two that are nearest to each other become one
 * at the later of their times: an amount is remembered for longer than it has to be, never for less.
 *
 * @param spendings in ascending order of time, none later than the one that is added
 */
export function addSpending(spendings: readonly Spending[], added: Spending, since: number): Spending[] {
  const kept = [...spendings.filter(({ at }) => at > since), added];
  const twins = kept.findIndex(({ at }, index) => at === kept[index + 1]?.at);
  if (twins >= 0) return mergeAt(kept, twins);
  return kept.length > MAX_SPENDINGS ? mergeAt(kept, findNearest(kept)) : kept;
}

/** Finds the place of the first of the two spendings with the least time between them. */
function findNearest(spendings: readonly Spending[]): number {
  let place = 0;
  let least = Infinity;
  for (let index = 0; index + 1 < spendings.length; index += 1) {
    const gap = (spendings[index + 1]?.at ?? Infinity) - (spendings[index]?.at ?? 0);
    if (gap < least) [place, least] = [index, gap];
  }
  return place;
}

function mergeAt(spendings: readonly Spending[], place: number): Spending[] {
  const [earlier, later] = [spendings[place], spendings[place + 1]];
  if (earlier === undefined || later === undefined) throw new RangeError('expected two spendings to merge');
  return spendings.toSpliced(place, 2, { at: later.at, amount: earlier.amount + later.amount });
}

/**
 * Computes the milliseconds until `amount` fits under `max`; null where no time is long enough.
 *
 * @param length of the window in milliseconds
 */
export function waitFor(
  spendings: readonly Spending[],
  { amount, max, now, length }: { amount: bigint; max: bigint; now: number; length: number },
): number | null {
  if (amount > max) return null;
  let sum = sumAfter(spendings, now - length);
  for (const spending of spendings) {
    if (sum + amount <= max) break;
    if (spending.at <= now - length) continue;
    sum -= spending.amount;
    if (sum + amount <= max) return Math.max(0, spending.at + length - now);
  }
  return 0;
}
