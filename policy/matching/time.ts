import type { TimeWindow } from '../../shared/documents/configuration.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
/** Days from that of 1970-01-01 on, which was a Thursday. */
const DAYS = ['thursday', 'friday', 'saturday', 'sunday', 'monday', 'tuesday', 'wednesday'] as const;

/** When a rule applies. */
export interface PreparedTime {
  readonly days: ReadonlySet<string> | null;
  /** Minutes of the day, the last one not included. */
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970, both included. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export function prepareTime({ days, hours, notBefore, notAfter }: TimeWindow): PreparedTime {
  return {
    days: days && new Set(days),
    from: hours === null ? 0 : minutesOf(hours.from),
    to: hours === null ? DAY_MINUTES : minutesOf(hours.to),
    notBefore: notBefore === null ? -Infinity : Date.parse(notBefore),
    notAfter: notAfter === null ? Infinity : Date.parse(notAfter),
  };
}

function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}

/**
 * Tells whether a moment is within a window; undefined where the clock gives no time.
 *
 * @param now milliseconds since 1970, by the NSM
 */
export function isWithin(
  { days, from, to, notBefore, notAfter }: PreparedTime,
  now: number,
): boolean | undefined {
  if (!Number.isFinite(now) || now < 0) return undefined;
  const minutes = Math.floor(now / MINUTE_MS);
  const day = DAYS[Math.floor(minutes / DAY_MINUTES) % DAYS.length];
  const minute = minutes % DAY_MINUTES;
  return (
    now >= notBefore &&
    now <= notAfter &&
    minute >= from &&
    minute < to &&
    (days === null || (day !== undefined && days.has(day)))
  );
}
