import { open, rename, rm, stat } from 'node:fs/promises';
import { CHUNK_BYTES, type EifSink, type EifSource } from '../../attestation/eif/index.ts';
import { UsageError } from '../common/command.ts';
import { assertWritable } from '../common/output-file.ts';
import { describeSystemError } from '../common/system-error.ts';

/** File that is read a chunk at a time, through one buffer. */
export interface FileSource extends EifSource, AsyncDisposable {}

/** Opens a file to read. @throws UsageError when there is no such file, or it is no plain file */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await open(path).catch((error: unknown) => {
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
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

/** File that appears under its name only when it is complete. */
export interface FileSink extends EifSink, AsyncDisposable {
  commit(): Promise<void>;
}

/**
 * Opens a file to write. All methods throw UsageError where nothing can be written: the folder does not exist, or the
 * disk is full.
 */
export async function openFileSink(path: string): Promise<FileSink> {
  const failed = (error: unknown): never => {
    throw new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
  };
  await assertWritable(path);
  const former = await stat(path).catch(() => undefined);
  if (former !== undefined && !former.isFile()) throw new UsageError(`cannot write ${path}: it is no file`);
  const partial = `${path}.partial-${process.pid}`;
  const file = await open(partial, 'wx').catch(failed);
  let isOpen = true;
  const close = async () => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  return {
    async write(offset, bytes) {
      let done = 0;
      while (done < bytes.length) {
        const left = bytes.length - done;
        done += (await file.write(bytes, done, left, offset + done).catch(failed)).bytesWritten;
      }
    },
    async commit() {
      await file.sync().then(close).catch(failed);
      await rename(partial, path).catch(failed);
    },
    async [Symbol.asyncDispose]() {
      await close();
      await rm(partial, { force: true });
    },
  };
}
