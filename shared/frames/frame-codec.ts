import type * as z from 'zod';
import { CborError, decodeCborObject, encodeCbor, type CborEncodable } from '../cbor/index.ts';
import { FrameError } from './errors.ts';

/**
 * The version of frames: u32 big-endian length ‖ u8 version ‖ body, one CBOR map. The length counts version and body.
 */
export const FRAME_VERSION = 1;
export const FRAME_LENGTH_BYTES = 4;
/** The longest frame that a use of frames may choose as its limit, in bytes, length field included. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;
/** The deepest nesting of a body; the deepest schema has a list of maps in a map. */
export const MAX_FRAME_DEPTH = 8;
/** The most data items of a body, keys included; the longest, a commit of 3,600 writes and 256 entries, has 32,667. */
export const MAX_FRAME_ITEMS = 32_768;

const VERSION_BYTES = 1;

/**
 * Encodes a frame.
 * @throws FrameError FRAME_TOO_LARGE when the frame would be longer than `maxBytes`
 * @throws TypeError for a value that CBOR has no place for
 */
export function encodeFrame(value: CborEncodable, maxBytes: number): Uint8Array<ArrayBuffer> {
  const body = encodeCbor(value);
  const total = FRAME_LENGTH_BYTES + VERSION_BYTES + body.length;
  if (total > maxBytes) throw tooLarge(total, maxBytes);
  const frame = new Uint8Array(total);
  new DataView(frame.buffer).setUint32(0, VERSION_BYTES + body.length);
  frame[FRAME_LENGTH_BYTES] = FRAME_VERSION;
  frame.set(body, FRAME_LENGTH_BYTES + VERSION_BYTES);
  return frame;
}

/**
 * Parses the length field: the number of bytes that follow, checked before anything is allocated for them.
 * @throws FrameError FRAME_TOO_LARGE, FRAME_TOO_SHORT
 */
export function parseFrameLength(field: Uint8Array, maxBytes: number): number {
  const length = new DataView(field.buffer, field.byteOffset, FRAME_LENGTH_BYTES).getUint32(0);
  if (FRAME_LENGTH_BYTES + length > maxBytes) throw tooLarge(FRAME_LENGTH_BYTES + length, maxBytes);
  if (length <= VERSION_BYTES) throw new FrameError('FRAME_TOO_SHORT', 'a frame without a body', { length });
  return length;
}

/**
 * Parses what follows the length field. Byte strings in the result are views of `bytes`.
 * @throws FrameError FRAME_VERSION_UNKNOWN, FRAME_BODY_MALFORMED, FRAME_SCHEMA_MISMATCH
 */
export function decodeFrame<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  const version = bytes[0];
  if (version !== FRAME_VERSION) {
    throw new FrameError('FRAME_VERSION_UNKNOWN', 'a frame of another version', {
      expected: FRAME_VERSION,
      actual: version,
    });
  }
  const result = schema.safeParse(decodeBody(bytes.subarray(VERSION_BYTES)));
  if (!result.success) {
    // Paths of the fields and not their values: a body may hold credentials.
    const paths = result.error.issues.slice(0, 4).map(({ path }) => path.join('.'));
    throw new FrameError('FRAME_SCHEMA_MISMATCH', 'the body of a frame does not match its schema', { paths });
  }
  return result.data;
}

function decodeBody(body: Uint8Array): unknown {
  try {
    return decodeCborObject(body, {
      maxBytes: body.length,
      maxDepth: MAX_FRAME_DEPTH,
      maxItems: MAX_FRAME_ITEMS,
    });
  } catch (error) {
    if (!(error instanceof CborError)) throw error;
    throw new FrameError('FRAME_BODY_MALFORMED', 'a frame whose body is malformed', {}, error);
  }
}

function tooLarge(actual: number, maximum: number): FrameError {
  return new FrameError('FRAME_TOO_LARGE', 'a frame longer than its limit', { actual, maximum });
}
