import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from '../common/errors.ts';
import { describeSystemError } from '../common/system-error.ts';
import { UsageError } from '../common/usage-error.ts';

/**
 * Writes files, by their paths, into a new folder that appears under its name only when all of them are complete.
 *
 * @throws CliError OUTPUT_EXISTS where something has that name; UsageError when nothing can be written there
 */
export async function writeOutputFolder(path: string, files: ReadonlyMap<string, string>): Promise<void> {
  const target = resolve(path);
  try {
    if (await exists(target)) throw existing(path);
    const partial = await mkdtemp(join(dirname(target), `${basename(target)}.partial-`));
    try {
      for (const [name, content] of files) {
        await mkdir(join(partial, dirname(name)), { recursive: true });
        await writeFile(join(partial, name), content, { flag: 'wx', flush: true });
      }
      await rename(partial, target);
    } catch (error) {
      // An empty folder would have been replaced; whatever else appeared there meanwhile is left alone.
      throw (await exists(target)) ? existing(path) : error;
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
  }
}

function existing(path: string): CliError {
  return new CliError('OUTPUT_EXISTS', 'something has the name of the new folder already', { path });
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
