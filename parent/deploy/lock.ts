import { DatabaseSync } from 'node:sqlite';
import { DeployError } from './errors.ts';

const BUSY = 5;

/**
 * Takes the one lock of a host. It is SQLite's own, so that a process that is killed gives it back.
 * @throws DeployError DEPLOYMENT_BUSY, DEPLOYMENT_PERMISSIONS
 */
export function takeLock(path: string): Disposable {
  try {
    const database = new DatabaseSync(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return { [Symbol.dispose]: () => database.close() };
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new DeployError('DEPLOYMENT_BUSY', 'another run is under way on this host', {}, error);
    }
    throw new DeployError('DEPLOYMENT_PERMISSIONS', 'the lock cannot be taken', { path }, error);
  }
}
