import * as z from 'zod';
import { poolKeyTypeSchema } from '../../algorithms.ts';
import { identifier, idList, uniqueList } from './fields.ts';

/** The most pools of one configuration. */
export const MAX_POOLS = 64;
/** The most keys of one pool. */
export const MAX_POOL_KEYS = 1024;
/** The most records of keys of pools in a node's store, of which each key has two; the others are for everything else. */
export const MAX_POOL_RECORDS = 20_480;
const MAX_PATTERNS = 64;
/** The most keys of pools that one configuration orders to drop. */
export const MAX_POOL_DROPS = 1024;

/** A name with `*` for any characters, also none: `canton-*`. Everything else is itself. */
const namePattern = z
  .string()
  .max(256)
  .regex(/^[A-Za-z0-9/_*. -]*$/);

/**
 * A pool of keys that clients have the node make while it runs. The pool bounds what may be made: by whom, which kinds,
 * how many, and under which names. What may be done with its keys is said by rules, which name the pool as they name a
 * key; `create-key` is an operation of theirs too.
 */
export const poolSchema = z.strictObject({
  id: identifier,
  /** Clients and groups of clients that see the pool and its keys. */
  clients: idList,
  types: uniqueList(poolKeyTypeSchema, 32).min(1),
  /** The most keys that the pool holds at once, those that await their deletion among them. */
  maximum: z.int().min(1).max(MAX_POOL_KEYS),
  /** What a key's description may be; the empty pattern is the empty description. */
  descriptions: uniqueList(namePattern, MAX_PATTERNS).min(1),
  /** What its aliases may be, without KMS's `alias/`; empty: its keys have none. */
  aliases: uniqueList(namePattern, MAX_PATTERNS),
  /** The fewest days between the order to delete a key and its deletion. */
  deletionDays: z.int().min(7).max(30),
});
export type Pool = z.infer<typeof poolSchema>;

/**
 * Keys of pools that the node deletes at its next start with this configuration, by their ids: those that no pool has any
 * more, and others. An id is drawn at random and never comes again, so the order names no other key later.
 */
export const poolDropSchema = uniqueList(z.uuid({ version: 'v4' }), MAX_POOL_DROPS).min(1);

/** Tells whether a name is one of those that a pool's patterns stand for: `*` is any characters, also none. */
export function matchesPattern(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
