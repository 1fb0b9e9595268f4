import * as z from 'zod';
import { asset } from './chains.ts';
import { decimal, entryList, identifier, MAX_SECONDS } from './fields.ts';

const MAX_LIMITS_OF_A_RULE = 16;

/**
 * A bucket that holds `count` requests and refills evenly in `seconds`: never more than `count` at once, and `count`
 * per `seconds` over time. The bucket is empty when a node starts, so that a restart never grants more. `null` stands
 * where no limit is wanted. Where several rules permit, each rate is a grant of its own.
 */
export const rateSchema = z.strictObject({
  count: z.int().min(1).max(1_000_000),
  seconds: z.int().min(1).max(MAX_SECONDS),
});

export const LIMIT_SUBJECTS = ['client', 'key', 'destination', 'rule'] as const;

/**
 * An accumulation: at most `max` of an asset in any window of `seconds`, counted apart for each client, key or
 * destination, or together for the rule. Rules that name a limit of the same id draw on the same window.
 */
export const limitSchema = z
  .strictObject({
    id: identifier,
    asset,
    max: decimal,
    seconds: z.int().min(1).max(MAX_SECONDS),
    per: z.enum(LIMIT_SUBJECTS),
    /** Whether the fee counts, where it is paid in this asset. */
    fees: z.boolean(),
  })
  .refine(({ per, fees }) => per !== 'destination' || !fees, {
    path: ['fees'],
    error: 'no destination gets a fee',
  });

/** The limits of one rule. */
export const limitListSchema = entryList(limitSchema, MAX_LIMITS_OF_A_RULE);
export type Limit = z.infer<typeof limitSchema>;

/** The most that a transaction may cost beside its effects. */
export const feeSchema = z.strictObject({
  asset,
  max: decimal,
  /** In hundredths of a percent of what the transaction moves of the fee's asset; null: no such limit. */
  maxShareBasisPoints: z.int().min(0).max(1_000_000).nullable(),
});

export const nonceSchema = z
  .strictObject({ min: decimal, max: decimal })
  .refine(({ min, max }) => BigInt(min) <= BigInt(max), { error: 'min is greater than max' });

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const MINUTE_OF_DAY = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;

/** When a rule applies, by the NSM's clock and in UTC. A moment matches if it is within each member that is not null. */
export const timeSchema = z
  .strictObject({
    days: z
      .array(z.enum(DAYS))
      .min(1)
      .max(DAYS.length)
      .refine((days) => new Set(days).size === days.length)
      .nullable(),
    /** From `from` until just before `to`, of one day; `to` may be 24:00. */
    hours: z
      .strictObject({
        from: z.string().regex(MINUTE_OF_DAY),
        to: z.union([z.string().regex(MINUTE_OF_DAY), z.literal('24:00')]),
      })
      .refine(({ from, to }) => from < to, { error: 'from is not before to; name two rules for a night' })
      .nullable(),
    /** The first moment, RFC 3339. */
    notBefore: z.iso.datetime().nullable(),
    /** The last moment, RFC 3339. */
    notAfter: z.iso.datetime().nullable(),
  })
  .refine((time) => Object.values(time).some((member) => member !== null), {
    error: 'limits nothing; say null',
  });
export type TimeWindow = z.infer<typeof timeSchema>;
