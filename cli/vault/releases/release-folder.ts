import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type ReleaseDestination,
  ReleaseError,
  type ReleaseFile,
  type ReleaseLocation,
  RELEASE_VERSION,
  type ReleaseStream,
} from '../../../admin/artifacts/index.ts';
import { AdminError } from '../../../admin/errors.ts';
import { digestFile } from './digest-file.ts';
import { describeWriteError } from './errors.ts';

/** Releases in a folder of this machine: `FOLDER/VERSION/FILE`. A version appears when it is complete. */
export class FolderReleases implements ReleaseDestination {
  readonly location: string;
  readonly #root: string;

  constructor({ path, text }: ReleaseLocation & { readonly kind: 'folder' }, workingDirectory: string) {
    this.location = text;
    this.#root = resolve(workingDirectory, path);
  }

  async read(version: string, file: string, offset: number, signal: AbortSignal): Promise<ReleaseStream> {
    const path = join(this.#root, version, file);
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw new ReleaseError('RELEASE_SOURCE_REFUSED', 'the folder cannot be read', {
        file: path,
        reason: error.code,
      });
    });
    if (found?.isFile() !== true) {
      throw new ReleaseError('RELEASE_NOT_FOUND', 'the folder has no such release or file', {
        location: this.location,
        version,
        file,
      });
    }
    return { offset, chunks: readChunks(path, offset, signal) };
  }

  async write(
    version: string,
    files: readonly ReleaseFile[],
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]> {
    const total = files.reduce((sum, { size }) => sum + size, 0);
    const place = join(this.#root, version);
    if (await isThere(place)) {
      await this.#assertSame(place, version, files);
      onProgress(total, total);
      return [];
    }
    const staging = join(this.#root, `.${version}.copy-${process.pid}`);
    try {
      await mkdir(staging, { recursive: true });
      let done = 0;
      for (const { name, size, open: openFile } of files) {
        const path = join(staging, name);
        await using file = await open(path, 'wx', 0o644);
        for await (const chunk of openFile()) {
          if (signal.aborted) throw new AdminError('INTERRUPTED', 'interrupted', { file: name });
          await file.writeFile(chunk);
        }
        await file.sync();
        done += size;
        onProgress(done, total);
      }
      await placeFolder(staging, place);
    } catch (error) {
      if (error instanceof ReleaseError || error instanceof AdminError) throw error;
      throw describeWriteError(place, error);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
    return files.map(({ name }) => name);
  }

  async #assertSame(place: string, version: string, files: readonly ReleaseFile[]): Promise<void> {
    for (const { name, sha256 } of files) {
      const found = await digestFile(join(place, name)).catch(() => undefined);
      if (found?.sha256 === sha256) continue;
      throw new ReleaseError('RELEASE_MIRROR_DIFFERS', 'the folder holds another release of this version', {
        location: this.location,
        version,
        file: name,
      });
    }
  }
}

/** Lists the versions that a folder of releases holds. */
export async function listVersions(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && RELEASE_VERSION.test(entry.name))
    .map(({ name }) => name);
}

/** Gives a complete folder its name, which must be free, and waits until both are on the disk. */
export async function placeFolder(from: string, to: string): Promise<void> {
  await syncFolder(from);
  await rename(from, to);
  await syncFolder(join(to, '..'));
}

export async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

async function* readChunks(path: string, start: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { start, signal }) as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    if (signal.aborted) throw new AdminError('INTERRUPTED', 'interrupted');
    throw new ReleaseError('RELEASE_SOURCE_REFUSED', 'the folder cannot be read', { file: path }, error);
  }
}
