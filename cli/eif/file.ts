import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { CHUNK_BYTES, type EifSink, type EifSource } from '../../attestation/eif/index.ts';
import { UsageError } from '../command.ts';

/** A file that is read a chunk at a time, through one buffer. */
export interface FileSource extends EifSource, AsyncDisposable {}

/** @throws UsageError when there is no such file, or it is no plain file */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path}: ${error.code ?? error.message}`);
  });
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new UsageError(`${path} is not a plain file`);
  }
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, Math.max(stat.size, 1)));
  return {
    size: stat.size,
    async read(offset, length) {
      const target = length <= buffer.length ? buffer : new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await file.read(target, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return target.subarray(0, done);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** A file that appears under its name only when it is complete. */
export interface FileSink extends EifSink, AsyncDisposable {
  commit(): Promise<void>;
}

/** @throws UsageError when nothing can be written there */
export async function openFileSink(path: string): Promise<FileSink> {
  const partial = `${path}.partial-${process.pid}`;
  const file = await open(partial, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot write ${path}: ${error.code ?? error.message}`);
  });
  let open_: FileHandle | undefined = file;
  return {
    async write(offset, bytes) {
      let done = 0;
      while (done < bytes.length) {
        done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
      }
    },
    async commit() {
      await file.sync();
      await file.close();
      open_ = undefined;
      await rename(partial, path);
    },
    async [Symbol.asyncDispose]() {
      if (open_ === undefined) return;
      await open_.close();
      await unlink(partial);
    },
  };
}
