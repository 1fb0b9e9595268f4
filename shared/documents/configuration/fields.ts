import * as z from 'zod';

/** The most clients, keys, drops, and approvers of one configuration, each. */
export const MAX_ENTRIES = 1024;
export const MAX_RULES = 4096;
/** The most ids that one member of a rule lists. */
export const MAX_IDS = 256;
/** The longest time that a rate, a limit or an approval spans: 31 days. */
export const MAX_SECONDS = 86_400 * 31;
/** The most decimal digits of an amount: those of 2^256. */
const MAX_AMOUNT_DIGITS = 78;

/** The id of anything that a configuration names. */
export const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, {
  error: 'expected an id: lower-case letters, digits, dots, hyphens and underscores',
});

/** Bytes in lower-case hex, at least one. */
export const hex = (maximumBytes: number) =>
  z.string().regex(new RegExp(`^([0-9a-f]{2}){1,${maximumBytes}}$`));

const AMOUNT = {
  error: ({ input }: { readonly input?: unknown }) =>
    input === undefined ? undefined : 'expected a whole number in decimal as a string, in the smallest unit',
};

/** A whole number in decimal, without a sign or leading zeros: JSON numbers end at 2^53. */
export const decimal = z
  .string(AMOUNT)
  .regex(new RegExp(`^(0|[1-9][0-9]{0,${MAX_AMOUNT_DIGITS - 1}})$`), AMOUNT);

export function areUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

const TWICE = { error: 'something is named twice' };

/** A list in which nothing stands twice. */
export const uniqueList = <Item extends z.ZodType<string>>(item: Item, maximum: number) =>
  z.array(item).max(maximum).refine(areUnique, TWICE);

/** A list without an empty form: an empty one could be taken for "all". */
export const idList = z.array(identifier).min(1).max(MAX_IDS).refine(areUnique, TWICE);

/** A list of entries, none of which has the id of another. */
export const entryList = <Entry extends z.ZodType<{ readonly id: string }>>(entry: Entry, maximum: number) =>
  z
    .array(entry)
    .max(maximum)
    .refine((entries) => areUnique(entries.map(({ id }) => id)), { error: 'an id is given twice' });

export const sha384 = z.string().regex(/^[0-9a-f]{96}$/);

/** Reports each name that is not known; `path` says where in the document the names stand. */
export function requireKnown(
  context: z.RefinementCtx,
  names: readonly string[],
  { known, noun, path }: { known: ReadonlySet<string>; noun: string; path: readonly (string | number)[] },
): void {
  for (const name of names) {
    if (!known.has(name)) {
      context.addIssue({ code: 'custom', path: [...path], message: `no ${noun} has the id ${name}` });
    }
  }
}
