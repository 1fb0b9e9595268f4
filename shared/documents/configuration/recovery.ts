import * as z from 'zod';
import { asset } from './chains.ts';
import { areUnique, decimal, identifier, idList, MAX_SECONDS } from './fields.ts';

const MAX_UNCOVERED = 64;

/**
 * Which keys need a backup that somebody keeps, and what they may sign without one. A parent can throw a backup away, so
 * one counts once a keeper has signed that it is kept.
 */
export const recoverySchema = z.strictObject({
  /** Keys and pools. */
  required: idList,
  /** Group of approvers with Ed25519 keys, the word of any of whom counts. */
  keepers: identifier,
  /**
   * What a key moves at most of an asset, in any time of `seconds`, while no kept backup covers it. Of other assets it moves
   * nothing, and it signs nothing whose amount nobody can count. Empty: it signs nothing at all.
   */
  maxUncovered: z
    .array(z.strictObject({ asset, max: decimal, seconds: z.int().min(1).max(MAX_SECONDS) }))
    .max(MAX_UNCOVERED)
    .refine((list) => areUnique(list.map((one) => one.asset)), { error: 'an asset is named twice' }),
  /** For how long after a ceremony that made new shares the backup of the epoch before still counts; 0: not at all. */
  graceSeconds: z.int().min(0).max(MAX_SECONDS),
});
export type Recovery = z.infer<typeof recoverySchema>;
