import type { DecisionPredicate } from '../../audit/receipt/index.ts';

/** Describes the key of a pool that a request was about: its id, or that none was made, and what it is. */
export function describePoolKey({
  id,
  type,
  usage,
}: NonNullable<DecisionPredicate['request']['poolKey']>): string {
  return `${id ?? 'none made'}, ${type} to ${usage}`;
}
