import * as z from 'zod';
import { decodeCborObject } from '../../shared/cbor/index.ts';
import { TranscriptError } from './errors.ts';

/** Nesting of everything that nodes send in a ceremony. */
const MAX_DEPTH = 8;

/** Schema of a byte string of exactly that length. */
export const bytesOf = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length);

/** Schema of a byte string of at most that length. */
export const bytesUpTo = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= length);

/** Number of a node, which is also the number of its share. */
export const nodeNumber = z.int().min(1).max(255);

/** Schema of numbers of nodes, each once and ascending. */
export const nodeNumbers = (minimum: number, maximum: number) =>
  z
    .array(nodeNumber)
    .min(minimum)
    .max(maximum)
    .refine((nodes) => nodes.every((node, index) => index === 0 || node > (nodes[index - 1] ?? 0)));

/**
 * Decodes a CBOR map by a schema. Byte strings are views of `bytes`.
 *
 * @throws TranscriptError TRANSCRIPT_MALFORMED
 */
export function decodeBySchema<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
  maxBytes: number,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = decodeCborObject(bytes, { maxBytes, maxDepth: MAX_DEPTH });
  } catch (error) {
    throw new TranscriptError('TRANSCRIPT_MALFORMED', `expected ${what} in strict CBOR`, {}, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TranscriptError('TRANSCRIPT_MALFORMED', `expected ${what}`, {
    path: parsed.error.issues[0]?.path.join('.'),
  });
}
