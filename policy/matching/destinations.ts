import type { PreparedPermit } from '../policy.ts';
import type { EffectFacts } from './facts.ts';

/** The fewest permits that are worth an index. */
const MIN_INDEXED_PERMITS = 32;
/** The most accounts of one permit that are indexed; a permit that names more is compared with every transaction. */
const MAX_INDEXED_ACCOUNTS = 64;

/** The permits of a list by the accounts that they name. */
interface DestinationIndex {
  readonly byAccount: ReadonlyMap<string, readonly PreparedPermit[]>;
  /** Permits with a condition that any destination may match, or with more accounts than are indexed. */
  readonly others: readonly PreparedPermit[];
}

const indexes = new WeakMap<readonly PreparedPermit[], DestinationIndex>();

/**
 * Lists the permits that may match an effect by its destination, in their order: all that are left out name accounts,
 * and not this one. The list of one client, key and kind of payload can have thousands, most of them for others.
 */
export function listForDestination(
  permits: readonly PreparedPermit[],
  effect: EffectFacts | undefined,
): readonly PreparedPermit[] {
  const to = effect?.to ?? null;
  if (permits.length < MIN_INDEXED_PERMITS || to === null) return permits;
  let index = indexes.get(permits);
  if (index === undefined) {
    index = indexByAccount(permits);
    indexes.set(permits, index);
  }
  const { byAccount, others } = index;
  const named = byAccount.get(to);
  if (named === undefined) return others;
  if (others.length === 0) return named;
  return [...named, ...others].sort((one, other) => one.index - other.index);
}

function indexByAccount(permits: readonly PreparedPermit[]): DestinationIndex {
  const byAccount = new Map<string, PreparedPermit[]>();
  const others: PreparedPermit[] = [];
  for (const permit of permits) {
    const accounts = listAccounts(permit);
    if (accounts === undefined) others.push(permit);
    for (const account of accounts ?? []) {
      const known = byAccount.get(account);
      if (known === undefined) byAccount.set(account, [permit]);
      else known.push(permit);
    }
  }
  return { byAccount, others };
}

/** Lists the accounts that a permit's conditions name; undefined for any, or for too many to index. */
function listAccounts({ conditions }: PreparedPermit): ReadonlySet<string> | undefined {
  const accounts = new Set<string>();
  for (const { to } of conditions) {
    if (to === null) return undefined;
    for (const set of to) {
      if (accounts.size + set.size > MAX_INDEXED_ACCOUNTS) return undefined;
      for (const account of set) accounts.add(account);
    }
  }
  return accounts;
}
