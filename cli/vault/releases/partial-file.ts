import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ResumableFile } from '../../../admin/artifacts/index.ts';
import { describeWriteError } from './errors.ts';

/** File that is fetched: it keeps what it has when a run ends early, and the next one goes on there. */
export class PartialFile implements ResumableFile, AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  #size: number;

  private constructor(path: string, file: FileHandle, size: number) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
  }

  /** Opens the file with what an earlier run has left. @throws UsageError; ReleaseError RELEASE_DISK_FULL */
  static async open(path: string): Promise<PartialFile> {
    try {
      const file = await open(path, 'a+', 0o644);
      return new PartialFile(path, file, (await file.stat()).size);
    } catch (error) {
      throw describeWriteError(path, error);
    }
  }

  get size(): number {
    return this.#size;
  }

  read(): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path, { end: this.#size - 1 });
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      try {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done);
        done += bytesWritten;
        this.#size += bytesWritten;
      } catch (error) {
        throw describeWriteError(this.#path, error);
      }
    }
  }

  async truncate(): Promise<void> {
    await this.#file.truncate(0);
    this.#size = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#file.sync();
    } finally {
      await this.#file.close();
    }
  }
}
