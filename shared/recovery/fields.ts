import * as z from 'zod';

/** Lower-case hex of an exact number of bytes. */
export const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
/** Lower-case hex of a number of bytes. */
export const hexOf = (least: number, most: number) =>
  z.string().regex(new RegExp(`^(?:[0-9a-f]{2}){${least},${most}}$`));
export const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
export const label = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const counter = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** RFC 3339 in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine((text) => {
    const milliseconds = Date.parse(text);
    return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text;
  });
