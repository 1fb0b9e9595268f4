import type { PreparedDenial } from '../policy.ts';
import { mayMatch } from './conditions.ts';
import type { Facts } from './facts.ts';

/**
 * Tells whether a denial matches a transaction: one effect at least matches one of its conditions, or may match it for
 * all that is known. What a member looks at and the transaction lacks matches.
 */
export function deniesTransaction(
  { payloads, networks, features, conditions }: PreparedDenial,
  facts: Facts,
): boolean {
  if (!payloads.has(facts.payload)) return false;
  if (networks !== null && facts.network !== null && !networks.has(facts.network)) return false;
  if (features !== null && !facts.features.some((name) => features.has(name))) return false;
  return (
    conditions === null ||
    facts.effects.some((effect) => conditions.some((condition) => mayMatch(condition, effect)))
  );
}
