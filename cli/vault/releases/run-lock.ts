import { open, readFile, rm } from 'node:fs/promises';
import { ReleaseError } from '../../../admin/artifacts/index.ts';
import { describeWriteError } from './errors.ts';

const MAX_ATTEMPTS = 5;

/**
 * Takes a folder for this process: a file with its number, which a process that was killed leaves behind and the next one
 * takes over.
 *
 * @returns gives the folder up
 * @throws ReleaseError RELEASE_IN_USE
 */
export async function takeRunLock(path: string): Promise<AsyncDisposable> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    try {
      await using file = await open(path, 'wx', 0o644);
      await file.writeFile(String(process.pid));
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw describeWriteError(path, error);
    }
    const text = await readFile(path, 'utf8').catch(() => '');
    const owner = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
    if (owner !== undefined && isAlive(owner)) {
      throw new ReleaseError('RELEASE_IN_USE', 'another run works on this release here', {
        lock: path,
        pid: owner,
      });
    }
    await rm(path, { force: true });
  }
  throw new ReleaseError('RELEASE_IN_USE', 'another run works on this release here', { lock: path });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
