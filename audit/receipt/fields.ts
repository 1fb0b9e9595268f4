import * as z from 'zod';
import { decodeBase64 } from '../../shared/base64.ts';

/** Lower-case hex of an exact number of bytes. */
export const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
/** Lower-case hex of a number of bytes from one to a maximum. */
export const hexUpTo = (maximum: number) => z.string().regex(new RegExp(`^(?:[0-9a-f]{2}){1,${maximum}}$`));
/** Base64 in its canonical form, of at most `maximumBytes` bytes. */
export const base64UpTo = (maximumBytes: number) =>
  z
    .string()
    .max(4 * Math.ceil(maximumBytes / 3))
    .refine((text) => decodeBase64(text) !== undefined, { error: 'not canonical base64' });
/** Base64url without padding (RFC 4648, section 5), of at most `maximumBytes` bytes. */
export const base64urlUpTo = (maximumBytes: number) =>
  z
    .string()
    .min(1)
    .max(Math.ceil((4 * maximumBytes) / 3))
    .regex(/^[A-Za-z0-9_-]+$/);
/** Ids of the configuration: clients, keys, rules, people. */
export const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
/** Names of conditions and needs, which a program may branch on. */
export const name = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9:._-]{0,62}$/);
export const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,62}$/);
/** Words for people. */
export const words = z
  .string()
  .max(1024)
  .refine((text) => text.isWellFormed(), { error: 'half of a surrogate pair' });
export const decimal = z.string().regex(/^(?:0|[1-9][0-9]{0,77})$/);
/** RFC 3339 in UTC with milliseconds, in the one form that `Date.prototype.toISOString` gives. */
export const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine(isRealTime, { error: 'no such day or time' });
/** Positions in a log, and sizes of it. */
export const counter = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

function isRealTime(text: string): boolean {
  const milliseconds = Date.parse(text);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === text;
}
