import * as z from 'zod';
import { decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import { MAX_RECORD_BYTES, recordKeySchema } from '../../shared/protocol/control.ts';
import { FAN_OUT, type IndexNode, isLeaf, MAX_LEAF_RECORDS } from './record-index.ts';

/** The revision of the newest write of a record, and the SHA-256 of its sealed bytes. */
export interface RecordState {
  readonly revision: number;
  readonly digest: Uint8Array;
}

export const digestSchema = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);
const revision = z.int().min(1);
const name = recordKeySchema.shape.table;

/** A node as it is sealed: records with their states, or the states of the nodes below, `null` where there is none. */
export const indexNodeSchema = z.union([
  z.strictObject({
    records: z.array(z.tuple([name, name, revision, digestSchema(32)])).max(MAX_LEAF_RECORDS),
  }),
  z.strictObject({
    children: z.array(z.tuple([revision, digestSchema(32)]).nullable()).length(FAN_OUT),
  }),
]);
export type EncodedNode = z.infer<typeof indexNodeSchema>;

/**
 * Describes a node as it is to be sealed.
 *
 * @param stateOf gives the sealed state of the child at a digit; undefined where no record is below it
 */
export function describeNode(
  node: IndexNode,
  stateOf: (digit: number) => RecordState | undefined,
): EncodedNode {
  if (isLeaf(node)) {
    return {
      records: node.records.map(({ table, id, revision: count, digest }) => [table, id, count, digest]),
    };
  }
  return {
    children: Array.from({ length: FAN_OUT }, (_, digit) => {
      const state = stateOf(digit);
      return state === undefined ? null : [state.revision, state.digest];
    }),
  };
}

export function encodeNode(node: EncodedNode): Uint8Array {
  return encodeCbor(node);
}

/**
 * Decodes an opened node.
 *
 * @throws CborError, ZodError: a defect of the image that sealed it, since only opened seals get here
 */
export function decodeNode(plaintext: Uint8Array): EncodedNode {
  return indexNodeSchema.parse(decodeCborObject(plaintext, { maxBytes: MAX_RECORD_BYTES, maxDepth: 4 }));
}
