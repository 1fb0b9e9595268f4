import { EifError } from './errors.ts';

/** Random access to an image or to a part of one. No read goes past `size`. */
export interface EifSource {
  /** Length in bytes. */
  readonly size: number;
  /** Returns exactly `length` bytes from `offset`. The caller uses them before the next read: a buffer may be reused. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Destination of a built image; every byte from 0 to its end is written once, not in order. */
export interface EifSink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
}

/** Length in bytes of the chunks in which a source is read: the most of it that is in memory at a time. */
export const CHUNK_BYTES = 512 * 1024;

/** Creates a source over bytes in memory; reads are views of them. */
export function memorySource(bytes: Uint8Array): EifSource {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/**
 * Reads from a source and checks the length of the result.
 *
 * @throws EifError EIF_READ when the source returns another length: a file that shrinks while it is read
 */
export async function readExactly(source: EifSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await source.read(offset, length);
  if (bytes.length !== length) {
    throw new EifError(
      'EIF_READ',
      `the source returned ${bytes.length} bytes: expected ${length}, so it changed while it was read`,
      {
        offset,
        expected: length,
        actual: bytes.length,
      },
    );
  }
  return bytes;
}

/** Reads a range of a source chunk by chunk; each chunk is valid until the next is asked for. */
export async function* readChunks(
  source: EifSource,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array, void, void> {
  for (let done = 0; done < length; done += CHUNK_BYTES) {
    yield await readExactly(source, offset + done, Math.min(CHUNK_BYTES, length - done));
  }
}
