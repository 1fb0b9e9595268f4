import type { Tiers } from '../../shared/documents/configuration.ts';
import { prepareRequirement, type Requirement } from './consent.ts';
import { countAsset, type Facts, isUncountable, movesAmount } from './facts.ts';
import { normaliseName } from './names.ts';

/** Approvals by the amount of one asset. */
export interface PreparedTiers {
  readonly asset: string;
  /** In ascending order of `max`; null is however much. */
  readonly steps: readonly { readonly max: bigint | null; readonly approvals: Requirement | null }[];
}

export function prepareTiers(
  { asset, steps }: Tiers,
  groups: ReadonlyMap<string, readonly string[]>,
): PreparedTiers {
  return {
    asset: normaliseName(asset),
    steps: steps.map(({ max, approvals }) => ({
      max: max === null ? null : BigInt(max),
      approvals: approvals && prepareRequirement(approvals, groups),
    })),
  };
}

/**
 * Lists the approvals that the amounts of a transaction ask for; undefined where an amount is above all steps or not
 * known, or an amount moves in an asset that has no tiers.
 */
export function listTierApprovals(tiers: readonly PreparedTiers[], facts: Facts): Requirement[] | undefined {
  if (tiers.length === 0) return [];
  const assets = new Set(tiers.map(({ asset }) => asset));
  const isCovered = facts.effects.every((effect) =>
    movesAmount(effect) ? effect.asset !== null && assets.has(effect.asset) : !isUncountable(facts, effect),
  );
  if (!isCovered) return undefined;
  const requirements: Requirement[] = [];
  for (const { asset, steps } of tiers) {
    const total = countAsset(facts, asset);
    const step = total === null ? undefined : steps.find(({ max }) => max === null || total <= max);
    if (step === undefined) return undefined;
    if (step.approvals !== null) requirements.push(step.approvals);
  }
  return requirements;
}
