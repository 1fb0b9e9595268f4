import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CliError } from '../common/errors.ts';

/** What SQLite answers where another process holds the lock. */
const BUSY = 5;

/**
 * Locks the folder of a role against another run on this machine, for as long as the process lives: the kernel lets go of
 * it when the process ends, by whatever.
 *
 * @throws CliError VAULT_LOCKED with the number of the process that has it
 */
export function lockFolder(folder: string): Disposable {
  const pidFile = join(folder, 'run.pid');
  const database = new DatabaseSync(join(folder, 'lock.sqlite'));
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === BUSY)) throw error;
    throw new CliError('VAULT_LOCKED', 'another run of this role is under way on this machine', {
      folder,
      pid: readPid(pidFile),
    });
  }
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}

function readPid(path: string): number | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
