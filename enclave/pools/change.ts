import { MAX_ALIASES, MAX_TAGS, type PoolKeyChange, type Tag } from '../../shared/api/pool-keys.ts';
import { matchesPattern, type Pool } from '../../shared/documents/configuration.ts';
import { PoolError } from './errors.ts';
import type { PoolKeyRecord } from './record.ts';

const DAY_MS = 86_400_000;

/** Asserts that a pool has this description. @throws PoolError DESCRIPTION_REFUSED */
export function assertDescription({ descriptions, id: pool }: Pool, description: string): void {
  if (descriptions.some((pattern) => matchesPattern(description, pattern))) return;
  throw new PoolError('DESCRIPTION_REFUSED', 'no pattern of the pool has this description', { pool });
}

/** Asserts that a pool has this alias. @throws PoolError ALIAS_REFUSED */
export function assertAlias({ aliases, id: pool }: Pool, alias: string): void {
  if (aliases.some((pattern) => matchesPattern(alias, pattern))) return;
  throw new PoolError('ALIAS_REFUSED', 'no pattern of the pool has this alias', { pool });
}

/** Asserts that a key may be used. @throws PoolError KEY_DISABLED, KEY_PENDING_DELETION */
export function assertEnabled({ state, id: key }: PoolKeyRecord): void {
  if (state === 'disabled') throw new PoolError('KEY_DISABLED', 'the key is disabled', { key });
  if (state === 'pending-deletion')
    throw new PoolError('KEY_PENDING_DELETION', 'the key awaits its deletion', { key });
}

/**
 * Computes a key's record after a change. That another key has an alias is not looked at.
 *
 * @param now milliseconds since 1970
 * @throws PoolError DESCRIPTION_REFUSED, ALIAS_REFUSED, ALIAS_UNKNOWN, KEY_PENDING_DELETION, KEY_NOT_PENDING_DELETION,
 * DELETION_TOO_SOON, POOL_METADATA_FULL
 */
export function changeRecord(
  record: PoolKeyRecord,
  change: PoolKeyChange,
  { pool, now }: { readonly pool: Pool; readonly now: number },
): PoolKeyRecord {
  const isPending = record.state === 'pending-deletion';
  // What a key is called on its way out may be taken from it, and nothing else happens to it.
  if (isPending && change.change !== 'cancel-deletion' && change.change !== 'remove-alias')
    throw new PoolError('KEY_PENDING_DELETION', 'the key awaits its deletion', { key: record.id });
  switch (change.change) {
    case 'describe':
      assertDescription(pool, change.description);
      return { ...record, description: change.description };
    case 'tag':
      return { ...record, tags: joinTags(record, change.tags) };
    case 'untag': {
      const gone = new Set(change.keys);
      return { ...record, tags: record.tags.filter(({ key }) => !gone.has(key)) };
    }
    case 'add-alias':
    case 'move-alias':
      assertAlias(pool, change.alias);
      return { ...record, aliases: joinAliases(record, change.alias) };
    case 'remove-alias':
      return { ...record, aliases: removeAlias(record, change.alias) };
    case 'enable':
      return { ...record, state: 'enabled' };
    case 'disable':
      return { ...record, state: 'disabled' };
    case 'schedule-deletion':
      if (change.days < pool.deletionDays)
        throw new PoolError('DELETION_TOO_SOON', 'the pool asks for more days before a deletion', {
          actual: change.days,
          minimum: pool.deletionDays,
        });
      return { ...record, state: 'pending-deletion', deletionTime: now + change.days * DAY_MS };
    case 'cancel-deletion':
    default:
      if (!isPending)
        throw new PoolError('KEY_NOT_PENDING_DELETION', 'the key does not await its deletion', {
          key: record.id,
        });
      // As KMS has it: whoever wants the key back enables it.
      return { ...record, state: 'disabled', deletionTime: null };
  }
}

function joinTags({ id: key, tags }: PoolKeyRecord, added: readonly Tag[]): Tag[] {
  const values = new Map([...tags, ...added].map((tag) => [tag.key, tag.value]));
  if (values.size > MAX_TAGS) throw tooMuch(key, 'tags', MAX_TAGS);
  return Array.from(values, ([name, value]) => ({ key: name, value }));
}

function joinAliases({ id: key, aliases }: PoolKeyRecord, alias: string): string[] {
  if (aliases.includes(alias))
    throw new PoolError('ALIAS_EXISTS', 'the key has the alias already', { key, alias });
  if (aliases.length >= MAX_ALIASES) throw tooMuch(key, 'aliases', MAX_ALIASES);
  return [...aliases, alias];
}

/** Lists the aliases of a key without one of them. @throws PoolError ALIAS_UNKNOWN */
export function removeAlias({ id: key, aliases }: PoolKeyRecord, alias: string): string[] {
  if (!aliases.includes(alias))
    throw new PoolError('ALIAS_UNKNOWN', 'the key has no such alias', { key, alias });
  return aliases.filter((each) => each !== alias);
}

function tooMuch(key: string, what: string, maximum: number): PoolError {
  return new PoolError('POOL_METADATA_FULL', `a key has at most ${maximum} ${what}`, { key, maximum });
}
