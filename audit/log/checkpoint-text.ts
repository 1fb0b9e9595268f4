import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { LogError } from './errors.ts';
import { assertTreeSize, HASH_BYTES } from './hash.ts';

/** Text of a checkpoint, read. C2SP tlog-checkpoint. */
export interface Checkpoint {
  /** Unique name of the log. */
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** Lines after the first three; our own logs have none. */
  readonly extensions: readonly string[];
}

/** Formats the text of a checkpoint without extension lines. */
export function formatCheckpointText({ origin, size, root }: Omit<Checkpoint, 'extensions'>): string {
  assertTreeSize(size);
  if (!isOrigin(origin)) throw new RangeError('an origin is one line that is not empty');
  if (root.length !== HASH_BYTES) throw new RangeError('a root is a hash of 32 bytes');
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** Tells whether a text may be the origin of a log: one line that is not empty, at most 255 bytes. */
export function isOrigin(origin: string): boolean {
  return (
    /^[^\p{Cc}]+$/u.test(origin) && origin.isWellFormed() && new TextEncoder().encode(origin).length <= 255
  );
}

/**
 * Parses the text of a checkpoint. A size beyond 2^53 - 1 is refused.
 *
 * @throws LogError CHECKPOINT_MALFORMED
 */
export function parseCheckpointText(text: string): Checkpoint {
  const [origin = '', size = '', encoded = '', ...rest] = text.split('\n');
  if (rest.pop() !== '') throw malformed('expected at least three lines, each with a line feed at its end');
  if (!isOrigin(origin)) throw malformed('expected an origin in the first line');
  if (!isTreeSize(size)) throw malformed('expected the size of the tree, in decimal, in the second line');
  const root = decodeBase64(encoded);
  if (root?.length !== HASH_BYTES)
    throw malformed('expected the root, 32 bytes in base64, in the third line');
  if (rest.some((line) => line === '')) throw malformed('an extension line is empty');
  return { origin, size: Number(size), root, extensions: rest };
}

/** Parses a hash in base64, as it stands in a line of its own; undefined for any other text. */
export function parseHash(line: string): Uint8Array | undefined {
  const hash = line.length > 44 ? undefined : decodeBase64(line);
  return hash?.length === HASH_BYTES ? hash : undefined;
}

/** Tells whether a text is a tree size in decimal: without sign or leading zero, at most 2^53 - 1. */
export function isTreeSize(text: string): boolean {
  return /^(?:0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));
}

function malformed(message: string): LogError {
  return new LogError('CHECKPOINT_MALFORMED', message);
}
