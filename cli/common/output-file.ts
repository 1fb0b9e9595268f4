import {
  access,
  chmod,
  constants,
  type FileHandle,
  link,
  open,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './command.ts';
import { describeSystemError } from './system-error.ts';

export interface OutputOptions {
  /** Permissions; when left out, those of the file that is replaced, or 0644. */
  readonly mode?: number;
  /** True leaves an existing file alone. */
  readonly keep?: boolean;
}

/**
 * Writes a file that appears under its name only when it is complete and on the disk. A device or a pipe is written to, and
 * stays what it is.
 *
 * @returns false when `keep` is set and the file exists already
 * @throws UsageError when nothing can be written there
 */
export async function writeOutput(
  path: string,
  content: Uint8Array | string,
  { mode, keep = false }: OutputOptions = {},
): Promise<boolean> {
  const partial = `${path}.partial-${process.pid}`;
  try {
    const former = await stat(path).catch(ignoreMissing);
    if (former !== undefined && !former.isFile()) {
      if (keep) return false;
      await writeFile(path, content, { flag: constants.O_WRONLY });
      return true;
    }
    await using file = await open(partial, 'wx', mode ?? 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
      if (former !== undefined && mode === undefined && !keep) await chmod(partial, former.mode & 0o777);
      const done = keep ? await linkUnlessThere(partial, path) : await rename(partial, path).then(() => true);
      await syncFolder(dirname(path));
      return done;
    } finally {
      await rm(partial, { force: true });
    }
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
  }
}

/**
 * Asserts that a file can be written, before anything is made for it.
 * @throws UsageError when the folder does not exist or cannot be written, or the path is a folder
 */
export async function assertWritable(path: string): Promise<void> {
  if (path === '') throw new UsageError('the name of the file to write is empty');
  const code = await access(dirname(path), constants.W_OK)
    .then(() => stat(path))
    .then(
      (found) => (found.isDirectory() ? 'EISDIR' : undefined),
      (error: NodeJS.ErrnoException) =>
        error.path === path && error.code === 'ENOENT' ? undefined : error.code,
    );
  if (code !== undefined) throw new UsageError(`cannot write ${path}: ${describeSystemError(code)}`);
}

/**
 * Links a file to a name that must be free. Unlike a rename, a link fails where the name exists, a dangling symbolic
 * link included.
 */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder: FileHandle = await open(path, 'r');
  await folder.sync();
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
