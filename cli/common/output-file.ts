import {
  access,
  chmod,
  constants,
  copyFile,
  link,
  lstat,
  open,
  rename,
  rm,
  stat,
  type FileHandle,
  writeFile,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from './command.ts';
import { CliError } from './errors.ts';
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

/** File that is to be written with others. */
interface OutputFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** Permissions. */
  readonly mode: number;
}

/**
 * Writes several files, all or none: each is complete and on the disk before the first appears under its name, and where one
 * cannot appear, those before are taken back, and what they have replaced is there again.
 *
 * @throws CliError OUTPUT_INCOMPLETE, which says which one could not be written
 */
export async function writeOutputs(files: readonly OutputFile[]): Promise<void> {
  const partialOf = (path: string) => `${path}.partial-${process.pid}`;
  const formerOf = (path: string) => `${path}.former-${process.pid}`;
  const [staged, placed, kept] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let current = '';
  try {
    for (const { path, content, mode } of files) {
      current = path;
      await using file = await open(partialOf(path), 'wx', mode);
      staged.add(path);
      await file.writeFile(content);
      await file.sync();
    }
    for (const { path } of files) {
      current = path;
      if (await linkFormer(path, formerOf(path))) kept.add(path);
      await rename(partialOf(path), path);
      placed.add(path);
    }
    for (const folder of new Set(files.map(({ path }) => dirname(path)))) await syncFolder(folder);
    for (const path of kept) await rm(formerOf(path), { force: true });
  } catch (error) {
    const left: string[] = [];
    for (const path of placed) {
      const undone = kept.has(path) ? rename(formerOf(path), path) : rm(path, { force: true });
      await undone.catch(() => left.push(kept.has(path) ? formerOf(path) : path));
    }
    // What was not put back is the only copy of what was there before.
    for (const path of kept) if (!left.includes(formerOf(path))) await rm(formerOf(path), { force: true });
    throw new CliError('OUTPUT_INCOMPLETE', 'one of the files could not be written, and so none was', {
      path: current,
      reason: describeSystemError(error),
      ...(left.length === 0 ? {} : { left }),
    });
  } finally {
    for (const path of staged) await rm(partialOf(path), { force: true });
  }
}

/** Keeps a file under another name, too: a folder, a device or a pipe cannot be replaced. @returns false where there is none */
async function linkFormer(path: string, name: string): Promise<boolean> {
  const former = await lstat(path).catch(ignoreMissing);
  if (former === undefined) return false;
  if (!former.isFile() && !former.isSymbolicLink()) throw Object.assign(new Error(), { code: 'EEXIST' });
  // A file system of a stick may know no second names.
  await link(path, name).catch(async () => await copyFile(path, name, constants.COPYFILE_EXCL));
  return true;
}

/**
 * Asserts that a file can be written, before anything is made for it. A device or a pipe is written to, and needs no folder.
 * @throws UsageError when the folder does not exist or cannot be written, or the path is a folder
 */
export async function assertWritable(path: string): Promise<void> {
  if (path === '') throw new UsageError('the name of the file to write is empty');
  const code = await findObstacle(path);
  if (code !== undefined) throw new UsageError(`cannot write ${path}: ${describeSystemError(code)}`);
}

async function findObstacle(path: string): Promise<string | undefined> {
  const toCode = ({ code }: NodeJS.ErrnoException) => code;
  const found = await stat(path).catch(toCode);
  if (typeof found === 'object' && !found.isFile())
    return found.isDirectory() ? 'EISDIR' : await access(path, constants.W_OK).then(() => undefined, toCode);
  if (found !== undefined && typeof found !== 'object' && found !== 'ENOENT') return found;
  return await access(dirname(path), constants.W_OK).then(() => undefined, toCode);
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
