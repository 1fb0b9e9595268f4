import { EifError } from './errors.ts';

/** Random access to an image or to a part of one. Reads past `size` are never asked for. */
export interface EifSource {
  /** Length in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; they are used before the next read, so a buffer may be used again. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Where a built image goes; every byte from 0 to its end is written once, not in order. */
export interface EifSink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
}

/** How much of a source is in memory at a time, in bytes. */
export const CHUNK_BYTES = 512 * 1024;

/** A source over bytes that are in memory. */
export function memorySource(bytes: Uint8Array): EifSource {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** @throws EifError EIF_READ when the source returns another length: a file that shrinks while it is read. */
export async function readExactly(source: EifSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) {
    throw new EifError('EIF_READ', 'the source changed while it was read', {
      offset,
      expected: length,
      actual: bytes.length,
    });
  }
  return bytes;
}

/** A range of a source, chunk by chunk; each chunk is valid until the next is asked for. */
export async function* readChunks(
  source: EifSource,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array, void, void> {
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    yield await readExactly(source, offset + done, Math.min(CHUNK_BYTES, length - done));
  }
}
