import * as z from 'zod';

/** The most levels from a key to a child that a request names. */
const MAX_CHILD_LEVELS = 8;
const FIRST_HARDENED = 2 ** 31;
const INDEX = '(?:0|[1-9][0-9]{0,9})';
const PATH = new RegExp(`^${INDEX}(?:/${INDEX}){0,${MAX_CHILD_LEVELS - 1}}$`);

/**
 * The path from a key of the quorum to the child that signs: 1 to 8 unhardened indices of BIP-32 in decimal, such as
 * `0/5`. Each path is written in one way alone. Hardened indices are no path here: they need the whole secret key.
 */
export const childPathSchema = z
  .string()
  .regex(PATH)
  .refine((path) => parseChildPath(path).every((index) => index < FIRST_HARDENED));

/** Parses a path that {@link childPathSchema} has let pass. */
export function parseChildPath(path: string): readonly number[] {
  return path.split('/').map(Number);
}
