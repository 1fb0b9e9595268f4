import * as z from 'zod';
import { poolKeyTypeSchema } from '../../algorithms.ts';
import { identifier, idList, uniqueList } from './fields.ts';

/** The most pools of one configuration. */
export const MAX_POOLS = 64;
/** The most keys of one pool. */
export const MAX_POOL_KEYS = 1024;
const MAX_PATTERNS = 64;

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
