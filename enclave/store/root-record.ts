import * as z from 'zod';
import { decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';
import { StoreError } from './errors.ts';
import { digestSchema, indexNodeSchema } from './index-node.ts';

const state = {
  /** The id of the order that this store was initialised by. */
  order: z.string(),
  /** The newest configuration that was ever in force, and its SHA-384. */
  configuration: z.strictObject({ version: z.int().min(1), digest: digestSchema(48) }),
  /** Number of times that a node has started on this store. */
  boots: z.int().min(1),
};

/**
 * The log: the number of its entries, and the roots of the full subtrees that they make, the largest first (RFC 6962,
 * 2.1): as many as the number has ones.
 */
const logStateSchema = z
  .strictObject({
    size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    frontier: z.array(digestSchema(32)).max(53),
  })
  .refine(({ size, frontier }) => frontier.length === countOnes(size));
export type LogState = z.infer<typeof logStateSchema>;

export const EMPTY_LOG: LogState = Object.freeze({ size: 0, frontier: [] });

const rootSchema = z.strictObject({
  format: z.literal(3),
  ...state,
  log: logStateSchema,
  /** The index's topmost node. */
  index: indexNodeSchema,
});

/** Format 2, which had no log. */
const unloggedRootSchema = z.strictObject({ format: z.literal(2), ...state, index: indexNodeSchema });

/** Format 1, which had no index but a flat list: at some 3,300 names the list was longer than a record may be. */
const listRootSchema = z.strictObject({
  format: z.literal(1),
  ...state,
  /** Every sealed record by `table/id`. */
  records: z.record(z.string(), z.strictObject({ revision: z.int().min(1), digest: digestSchema(32) })),
});

const formatSchema = z.object({ format: z.int() });

/**
 * The root record: the store's state and the top of its index. It is written with each change, in the same commit,
 * and its length does not depend on how many records there are. Whatever does not match it was altered, swapped or
 * rolled back by whoever keeps the store.
 */
export type RootRecord = z.infer<typeof rootSchema>;
export type UnloggedRootRecord = z.infer<typeof unloggedRootSchema>;
export type ListRootRecord = z.infer<typeof listRootSchema>;
export type RootState = Pick<RootRecord, 'order' | 'configuration' | 'boots' | 'log'>;

export function encodeRoot(root: RootRecord): Uint8Array {
  return encodeCbor(root);
}

/**
 * Decodes a root record of any format that this image knows; a store of an older format is written in format 3 by its
 * next commit.
 *
 * @throws StoreError STORE_FORMAT_UNKNOWN
 * @throws CborError, ZodError: only for what this node has sealed itself, so never for data from outside.
 */
export function decodeRoot(plaintext: Uint8Array): ListRootRecord | RootRecord | UnloggedRootRecord {
  const value = decodeCborObject(plaintext, { maxBytes: MAX_RECORD_BYTES, maxDepth: 5 });
  const { format } = formatSchema.parse(value);
  if (format === 1) return listRootSchema.parse(value);
  if (format === 2) return unloggedRootSchema.parse(value);
  if (format === 3) return rootSchema.parse(value);
  throw new StoreError('STORE_FORMAT_UNKNOWN', 'a newer image has written this store: start that one', {
    expected: 3,
    actual: format,
  });
}

function countOnes(number: number): number {
  return number.toString(2).replaceAll('0', '').length;
}
