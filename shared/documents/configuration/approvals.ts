import * as z from 'zod';
import { asset } from './chains.ts';
import { areUnique, decimal, identifier, MAX_SECONDS } from './fields.ts';

const MAX_GROUPS_OF_A_RULE = 16;
const MAX_COUNT = 32;
const MAX_TIERS = 8;
const MAX_STEPS = 16;

/**
 * The consent that a rule asks for: `count` people of each `group`. All of them are distinct, across the groups too,
 * and none is the person behind the client that asks.
 */
export const approvalsSchema = z.strictObject({
  all: z
    .array(z.strictObject({ group: identifier, count: z.int().min(1).max(MAX_COUNT) }))
    .min(1)
    .max(MAX_GROUPS_OF_A_RULE)
    .refine((groups) => areUnique(groups.map(({ group }) => group)), { error: 'a group is named twice' }),
  /** For how long a request waits for its approvals, in seconds. */
  expiresSeconds: z.int().min(1).max(MAX_SECONDS),
});
export type ApprovalRequirement = z.infer<typeof approvalsSchema>;

/**
 * Approvals by the amount of one asset that the whole transaction moves: those of the first step whose `max` is not
 * exceeded, and no match above the last one. `max` null is "however much"; `approvals` null is "none, on purpose".
 */
export const tiersSchema = z.strictObject({
  asset,
  steps: z
    .array(z.strictObject({ max: decimal.nullable(), approvals: approvalsSchema.nullable() }))
    .min(1)
    .max(MAX_STEPS)
    .refine((steps) => steps.every(({ max }, index) => max !== null || index === steps.length - 1), {
      error: 'only the last step may have no maximum',
    })
    .refine(areAscending, { error: 'each maximum is greater than the one before' }),
});
export type Tiers = z.infer<typeof tiersSchema>;

/** Tiers, at most one for each asset. */
export const tierListSchema = z
  .array(tiersSchema)
  .max(MAX_TIERS)
  .refine((tiers) => areUnique(tiers.map(({ asset }) => asset.toLowerCase())), {
    error: 'an asset has two lists of tiers',
  });

function areAscending(steps: readonly { readonly max: string | null }[]): boolean {
  return steps.every(({ max }, index) => {
    const before = steps[index - 1]?.max;
    return max === null || before === undefined || before === null || BigInt(max) > BigInt(before);
  });
}
