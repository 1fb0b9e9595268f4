import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { formatVerifierKey, type TreeHead, type VerifierKey } from '../../../audit/log/index.ts';
import { WitnessStateError } from './errors.ts';

const FILE = 'state.sqlite';
/** Of the database, "hfwi": another program's is not taken for ours. */
const APPLICATION_ID = 0x68667769;
/** SQLite's code for a database that another process has. */
const SQLITE_BUSY = 5;

/** What a witness has cosigned last for one log. */
export interface Cosigned {
  readonly tree: TreeHead;
  /** Checkpoint with the log's signature and the witness's cosignatures. */
  readonly note: string;
}

/** Memory of a witness: what it has cosigned last, for each log, for ever. */
export interface WitnessState extends Disposable {
  read(origin: string): Cosigned | undefined;
  /**
   * Reads, decides and writes as one step. When it returns, what `decide` gave is on the disk; when `decide` throws,
   * nothing has changed.
   */
  update(origin: string, decide: (known: TreeHead | undefined) => Cosigned): Cosigned;
}

/**
 * Asserts that a folder has no state, before keys are made for it.
 *
 * @throws WitnessStateError WITNESS_STATE_EXISTS
 */
export function assertNoState(folder: string): void {
  const path = join(folder, FILE);
  if (existsSync(path))
    throw new WitnessStateError('WITNESS_STATE_EXISTS', 'a state is there already', { path });
}

/**
 * Creates the state of a new witness, bound to its keys. A witness that has lost its state must not get a new one under
 * its keys: it would cosign what contradicts what it has cosigned.
 *
 * @throws WitnessStateError WITNESS_STATE_EXISTS
 */
export function createState(folder: string, keys: readonly VerifierKey[]): void {
  assertNoState(folder);
  const path = join(folder, FILE);
  const database = new DatabaseSync(path);
  try {
    chmodSync(path, 0o600);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    database.exec('CREATE TABLE key (vkey TEXT PRIMARY KEY) STRICT');
    database.exec(
      'CREATE TABLE log (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) STRICT',
    );
    const insert = database.prepare('INSERT INTO key VALUES (?)');
    for (const key of keys) insert.run(formatVerifierKey(key));
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; COMMIT`);
  } finally {
    database.close();
  }
}

/**
 * Opens the state of a witness, for this process alone.
 *
 * @throws WitnessStateError WITNESS_STATE_MISSING, WITNESS_STATE_MISMATCH, WITNESS_STATE_BUSY, WITNESS_STATE_DAMAGED
 */
export function openState(folder: string, keys: readonly VerifierKey[]): WitnessState {
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    throw new WitnessStateError('WITNESS_STATE_MISSING', 'there is no state for these keys', { path });
  }
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN IMMEDIATE; COMMIT');
    assertKeys(database, keys, path);
    return createWitnessState(database);
  } catch (error) {
    database.close();
    if (error instanceof WitnessStateError) throw error;
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
    throw isBusy
      ? new WitnessStateError('WITNESS_STATE_BUSY', 'another process uses the state', { path }, error)
      : new WitnessStateError('WITNESS_STATE_DAMAGED', 'the state cannot be read', { path }, error);
  }
}

function assertKeys(database: DatabaseSync, keys: readonly VerifierKey[], path: string): void {
  const id = database.prepare('PRAGMA application_id').get()?.['application_id'];
  if (id !== APPLICATION_ID)
    throw new WitnessStateError('WITNESS_STATE_DAMAGED', 'not the state of a witness', { path });
  const bound = new Set(
    database
      .prepare('SELECT vkey FROM key')
      .all()
      .map(({ vkey }) => vkey),
  );
  if (bound.size !== keys.length || keys.some((key) => !bound.has(formatVerifierKey(key)))) {
    throw new WitnessStateError('WITNESS_STATE_MISMATCH', 'the state is that of other keys', { path });
  }
}

function createWitnessState(database: DatabaseSync): WitnessState {
  const select = database.prepare('SELECT size, root, note FROM log WHERE origin = ?');
  const upsert = database.prepare(
    'INSERT INTO log VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note',
  );
  const read = (origin: string): Cosigned | undefined => {
    const row = select.get(origin);
    if (row === undefined) return undefined;
    return {
      tree: { size: Number(row['size']), root: Uint8Array.from(row['root'] as Uint8Array) },
      note: String(row['note']),
    };
  };
  return {
    read,
    update(origin, decide) {
      database.exec('BEGIN IMMEDIATE');
      try {
        const cosigned = decide(read(origin)?.tree);
        upsert.run(origin, cosigned.tree.size, cosigned.tree.root, cosigned.note);
        database.exec('COMMIT');
        return cosigned;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      }
    },
    [Symbol.dispose]: () => database.close(),
  };
}
