import type { EncryptionContext } from './held-key.ts';

const LABEL = 'holdfast/encryption-context/1';

/**
 * Encodes a context as associated data: a label, then each name and value in UTF-8 behind its length in four bytes, in the
 * order of the names' bytes. Equal contexts have equal bytes, others have others; none, and an empty one, are no bytes.
 */
export function encodeEncryptionContext(context: EncryptionContext | undefined): Uint8Array {
  const pairs = Object.entries(context ?? {}).map(
    ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
  );
  if (pairs.length === 0) return new Uint8Array(0);
  const sorted = pairs.toSorted(([left], [right]) => Buffer.compare(left, right));
  return Buffer.concat([
    Buffer.from(LABEL),
    ...sorted.flat().flatMap((bytes) => [encodeLength(bytes), bytes]),
  ]);
}

function encodeLength({ length }: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}
