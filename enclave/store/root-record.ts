import * as z from 'zod';
import { decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import { MAX_RECORD_BYTES } from '../../shared/protocol/control.ts';

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);

const rootSchema = z.strictObject({
  format: z.literal(1),
  /** The id of the order that this store was initialised by. */
  order: z.string(),
  /** The newest configuration that was ever in force, and its SHA-384. */
  configuration: z.strictObject({ version: z.int().min(1), digest: bytes(48) }),
  /** How often a node has started on this store. */
  boots: z.int().min(1),
  /** Every sealed record: its revision and the SHA-256 of its ciphertext, by `table/id`. */
  records: z.record(z.string(), z.strictObject({ revision: z.int().min(1), digest: bytes(32) })),
});

/**
 * What the root record says. It is written with each change, in the same commit: a record that does not match it was
 * altered, swapped or rolled back by whoever keeps the store (P12).
 */
export type RootRecord = z.infer<typeof rootSchema>;

export function encodeRoot(root: RootRecord): Uint8Array {
  return encodeCbor(root);
}

/** @throws CborError, ZodError: only for what this node has sealed itself, so never for data from outside. */
export function decodeRoot(plaintext: Uint8Array): RootRecord {
  return rootSchema.parse(decodeCborObject(plaintext, { maxBytes: MAX_RECORD_BYTES, maxDepth: 4 }));
}
