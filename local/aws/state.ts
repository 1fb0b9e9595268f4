import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { LocalAwsError } from './errors.ts';

const FORMAT = 1;
const BUSY = 5;

/**
 * Named records that survive a crash: the effect of a `put` or `delete` that has returned is on the disk. One process
 * at a time. Without a directory nothing is kept.
 */
export class StateStore {
  readonly #database: DatabaseSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #list: StatementSync;

  /** Opens the state. @throws LocalAwsError STATE_IN_USE, STATE_UNREADABLE */
  constructor(directory?: string) {
    this.#database = openDatabase(directory);
    this.#put = this.#database.prepare(
      'INSERT INTO record (kind, id, value) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value',
    );
    this.#delete = this.#database.prepare('DELETE FROM record WHERE kind = ? AND id = ?');
    this.#list = this.#database.prepare('SELECT id, value FROM record WHERE kind = ? ORDER BY id');
  }

  put(kind: string, id: string, value: unknown): void {
    this.#put.run(kind, id, JSON.stringify(value));
  }

  /** Forgets a record; one that is not there is no error. */
  delete(kind: string, id: string): void {
    this.#delete.run(kind, id);
  }

  /** Lists all records of a kind, as they were put. */
  list(kind: string): { readonly id: string; readonly value: unknown }[] {
    return this.#list.all(kind).map(({ id, value }) => {
      if (typeof id !== 'string' || typeof value !== 'string') throw unreadable();
      return { id, value: JSON.parse(value) as unknown };
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function openDatabase(directory: string | undefined): DatabaseSync {
  if (directory !== undefined) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = directory === undefined ? ':memory:' : join(directory, 'aws.sqlite');
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    database.exec(
      'CREATE TABLE IF NOT EXISTS record (kind TEXT, id TEXT, value TEXT, PRIMARY KEY (kind, id)) STRICT',
    );
    const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
    if (version !== 0 && version !== FORMAT) throw unreadable();
    database.exec(`PRAGMA user_version = ${FORMAT}`);
    if (directory !== undefined) chmodSync(path, 0o600);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof LocalAwsError) throw error;
    if (error instanceof Error && 'errcode' in error && error.errcode === BUSY) {
      throw new LocalAwsError('STATE_IN_USE', 'another process uses this state', { path }, error);
    }
    throw unreadable(error);
  }
}

function unreadable(cause?: unknown): LocalAwsError {
  return new LocalAwsError('STATE_UNREADABLE', 'expected the state of this version', {}, cause);
}
