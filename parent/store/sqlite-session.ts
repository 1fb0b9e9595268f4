import { DatabaseSync } from 'node:sqlite';
import type { LogAddition, RecordKey, RecordWrite } from '../../shared/protocol/control.ts';
import { MAX_RECORDS } from '../../shared/protocol/limits.ts';
import { RecordStoreError } from './errors.ts';
import { hasInsert, MAX_READ_ENTRIES, type RecordSession } from './record-store.ts';

/** Application id "HFST", see `PRAGMA application_id`. */
const APPLICATION_ID = 0x48_46_53_54;
/** Format 1 had no log. */
const FORMAT = 2;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/**
 * Opens the database and takes ownership of it. Calls block their thread until the disk has done its part.
 * @throws RecordStoreError STORE_BUSY, STORE_FAILED, STORE_FORMAT_UNKNOWN
 */
export function openSqliteSession(path: string): RecordSession {
  const database = guard(() => new DatabaseSync(path));
  try {
    guard(() => prepare(database));
    return createSession(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepare(database: DatabaseSync): void {
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA synchronous = FULL;
    PRAGMA trusted_schema = OFF;
    BEGIN EXCLUSIVE;
  `);
  const format = readPragma(database, 'user_version');
  if (format === 0) {
    database.exec(`
      CREATE TABLE records (
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        revision INTEGER NOT NULL CHECK (revision > 0),
        bytes BLOB NOT NULL,
        PRIMARY KEY (collection, id)
      ) STRICT;
      PRAGMA application_id = ${APPLICATION_ID};
    `);
    createLog(database);
  } else if (format === 1 && readPragma(database, 'application_id') === APPLICATION_ID) {
    createLog(database);
  } else if (format !== FORMAT || readPragma(database, 'application_id') !== APPLICATION_ID) {
    throw new RecordStoreError('STORE_FORMAT_UNKNOWN', 'expected a store of this version', {
      expected: FORMAT,
      actual: format,
    });
  }
  // The journal's mode lies in the file, so nothing is changed before the file is known to be a store.
  database.exec('COMMIT; PRAGMA journal_mode = WAL');
}

function createLog(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE entries (position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
    PRAGMA user_version = ${FORMAT};
  `);
}

function readPragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function createSession(database: DatabaseSync): RecordSession {
  const select = database.prepare('SELECT revision, bytes FROM records WHERE collection = ? AND id = ?');
  const selectAll = database.prepare('SELECT collection, id, revision FROM records ORDER BY collection, id');
  const count = database.prepare('SELECT count(*) AS count FROM records');
  const insert = database.prepare(
    'INSERT INTO records (collection, id, revision, bytes) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING',
  );
  const update = database.prepare(
    'UPDATE records SET revision = revision + 1, bytes = ? WHERE collection = ? AND id = ? AND revision = ?',
  );
  const restoreOne = database.prepare(
    'INSERT INTO records (collection, id, revision, bytes) VALUES (?, ?, ?, ?)',
  );
  const remove = database.prepare('DELETE FROM records WHERE collection = ? AND id = ? AND revision = ?');

  const selectBounds = database.prepare(
    'SELECT min(position) AS first, max(position) + 1 AS size FROM entries',
  );
  const selectEntries = database.prepare(
    'SELECT bytes FROM entries WHERE position >= ? ORDER BY position LIMIT ?',
  );
  const insertEntry = database.prepare('INSERT INTO entries (position, bytes) VALUES (?, ?)');
  const removeEntries = database.prepare('DELETE FROM entries WHERE position < ?');

  function readBounds() {
    const row = selectBounds.get();
    return { first: Number(row?.['first'] ?? 0), size: Number(row?.['size'] ?? 0) };
  }

  function append({ start, entries }: LogAddition): void {
    const { size } = readBounds();
    if (start !== size) {
      throw new RecordStoreError('STORE_CONFLICT', 'the log has another size', {
        expected: start,
        actual: size,
      });
    }
    insertEntries(start, entries);
  }

  function insertEntries(start: number, entries: readonly Uint8Array[]): void {
    for (const [offset, bytes] of entries.entries()) insertEntry.run(start + offset, bytes);
  }

  function write({ table, id, expectedRevision, bytes }: RecordWrite): void {
    let changes;
    if (bytes === null) ({ changes } = remove.run(table, id, expectedRevision));
    else if (expectedRevision === 0) ({ changes } = insert.run(table, id, bytes));
    else ({ changes } = update.run(bytes, table, id, expectedRevision));
    if (changes !== 1) {
      throw new RecordStoreError('STORE_CONFLICT', 'a record is at another revision', { table, id });
    }
  }

  const countRecords = () => Number(count.get()?.['count']);

  /** @param inserts true where there may be more records afterwards; counting takes the longer the more there are */
  function transact(inserts: boolean, act: () => void): Promise<void> {
    return attempt(() => {
      database.exec('BEGIN IMMEDIATE');
      try {
        act();
        if (inserts && countRecords() > MAX_RECORDS) {
          throw new RecordStoreError('STORE_FULL', 'too many records', { maximum: MAX_RECORDS });
        }
        database.exec('COMMIT');
      } catch (error) {
        // Some failures, a full disk among them, have rolled the transaction back by themselves.
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  return {
    read: (key: RecordKey) =>
      attempt(() => {
        const row = select.get(key.table, key.id);
        return row === undefined
          ? null
          : { revision: Number(row['revision']), bytes: row['bytes'] as Uint8Array };
      }),
    list: () =>
      attempt(() =>
        selectAll.all().map((row) => ({
          table: String(row['collection']),
          id: String(row['id']),
          revision: Number(row['revision']),
        })),
      ),
    commit: (writes, log) =>
      transact(hasInsert(writes), () => {
        for (const one of writes) write(one);
        if (log !== undefined) append(log);
      }),
    logBounds: () => attempt(readBounds),
    readEntries: (start, count) =>
      attempt(() =>
        selectEntries.all(start, Math.min(count, MAX_READ_ENTRIES)).map((row) => row['bytes'] as Uint8Array),
      ),
    dropEntries: (before) =>
      attempt(() => {
        removeEntries.run(Math.min(before, readBounds().size - 1));
      }),
    restore: (records, log) =>
      transact(true, () => {
        if (countRecords() > 0 || readBounds().size > 0) {
          throw new RecordStoreError('STORE_CONFLICT', 'the store is not empty');
        }
        for (const { table, id, revision, bytes } of records) restoreOne.run(table, id, revision, bytes);
        if (log !== undefined) insertEntries(log.start, log.entries);
      }),
    close: () =>
      attempt(() => {
        if (database.isOpen) database.close();
      }),
  };
}

/** Runs the synchronous database behind an asynchronous interface: a throw becomes a rejection. */
function attempt<T>(act: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(guard(act));
  });
}

function guard<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof RecordStoreError) throw error;
    const result = sqliteCode(error);
    if (result === SQLITE_BUSY || result === SQLITE_LOCKED) {
      throw new RecordStoreError('STORE_BUSY', 'the store has another owner', {}, error);
    }
    throw new RecordStoreError('STORE_FAILED', 'the database failed', { result }, error);
  }
}

/** Primary result code, see https://www.sqlite.org/rescode.html */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode & 0xff;
}
