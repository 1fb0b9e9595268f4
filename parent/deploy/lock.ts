import { DatabaseSync } from 'node:sqlite';
import { DeployError } from './errors.ts';

const BUSY = 5;

/**
 * Takes the one lock of a host. It is SQLite's own, so that a process that is killed gives it back.
 * @throws DeployError DEPLOYMENT_BUSY
 */
export function takeLock(path: string): Disposable {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new DeployError('DEPLOYMENT_BUSY', 'another run is under way on this host', {}, error);
    }
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}
