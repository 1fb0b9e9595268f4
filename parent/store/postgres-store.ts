import { Client, type ClientConfig, DatabaseError, types } from 'pg';
import { HoldfastError } from '../../shared/errors.ts';
import {
  type LogAddition,
  MAX_RECORDS,
  type RecordKey,
  type RecordWrite,
} from '../../shared/protocol/control.ts';
import { RecordStoreError } from './errors.ts';
import {
  hasInsert,
  type LogBounds,
  MAX_READ_ENTRIES,
  type RecordSession,
  type RecordStore,
} from './record-store.ts';

/** Server that is reached by TLS alone, and whose certificate must have its name. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Reads the password; called for each connection. */
  readonly password: () => Promise<string>;
  /** Authorities that may vouch for the server, in PEM; no others are believed. */
  readonly ca: string;
}

export type PostgresStoreOptions = (
  | PostgresServer
  /** Connection URL `postgres://…`, as libpq has it. */
  | { readonly url: string }
) & {
  /** Name of the node whose records are read and written: several nodes may share a database. */
  readonly node: string;
};

const FORMAT = 1;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const BIGINT_OID = 20;

/**
 * Store in PostgreSQL 13 or later. The owner of a node's records holds an advisory lock in its one connection: the
 * server releases the lock when that connection is gone. A commit is one transaction, on disk before it returns.
 */
export function createPostgresStore(options: PostgresStoreOptions): RecordStore {
  return {
    async open() {
      const client = new Client({
        ...(await describeServer(options)),
        application_name: 'holdfast',
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        statement_timeout: STATEMENT_TIMEOUT_MS,
        query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
        keepAlive: true,
        types: { getTypeParser },
      });
      // A connection that breaks between two requests shows at the next one.
      client.on('error', () => {});
      try {
        return await guard(async () => {
          await client.connect();
          await prepare(client, options.node);
          return createSession(client, options.node);
        });
      } catch (error) {
        await client.end().catch(() => {});
        throw error;
      }
    },
  };
}

/** @throws RecordStoreError STORE_PASSWORD_UNAVAILABLE */
async function describeServer(options: PostgresStoreOptions): Promise<ClientConfig> {
  if ('url' in options) return { connectionString: options.url };
  const { host, port, database, user, password, ca } = options;
  const ssl = { ca, rejectUnauthorized: true, servername: host, minVersion: 'TLSv1.2' } as const;
  try {
    return { host, port, database, user, password: await password(), ssl };
  } catch (error) {
    throw new RecordStoreError(
      'STORE_PASSWORD_UNAVAILABLE',
      'the password of the database cannot be read',
      error instanceof HoldfastError ? { ...error.details, reason: error.code } : {},
      error,
    );
  }
}

/** Reads a bigint as a number: the schema of writes holds revisions to safe integers. */
function getTypeParser(oid: number, format?: 'binary' | 'text') {
  if (oid === BIGINT_OID) return Number;
  return format === 'binary' ? types.getTypeParser(oid, 'binary') : types.getTypeParser(oid, 'text');
}

async function prepare(client: Client, node: string): Promise<void> {
  await client.query('SET synchronous_commit = on');
  // Two sessions that come first at once must not both make the tables.
  await client.query("SELECT pg_advisory_lock(hashtextextended('holdfast schema', 0))");
  try {
    await client.query(`
      CREATE TABLE IF NOT EXISTS holdfast_format (version integer PRIMARY KEY);
      CREATE TABLE IF NOT EXISTS holdfast_records (
        node text NOT NULL,
        collection text NOT NULL,
        id text NOT NULL,
        revision bigint NOT NULL CHECK (revision > 0),
        bytes bytea NOT NULL,
        PRIMARY KEY (node, collection, id)
      );
      CREATE TABLE IF NOT EXISTS holdfast_entries (
        node text NOT NULL,
        position bigint NOT NULL CHECK (position >= 0),
        bytes bytea NOT NULL,
        PRIMARY KEY (node, position)
      );
      INSERT INTO holdfast_format SELECT ${FORMAT} WHERE NOT EXISTS (SELECT FROM holdfast_format);
    `);
  } finally {
    await client.query("SELECT pg_advisory_unlock(hashtextextended('holdfast schema', 0))");
  }
  const format = await client.query<{ version: number }>('SELECT version FROM holdfast_format');
  const version = format.rows[0]?.version;
  if (format.rows.length !== 1 || version !== FORMAT) {
    throw new RecordStoreError('STORE_FORMAT_UNKNOWN', 'expected a store of this version', {
      expected: FORMAT,
      actual: version,
    });
  }
  const lock = await client.query<{ taken: boolean }>(
    "SELECT pg_try_advisory_lock(hashtextextended('holdfast node ' || $1, 0)) AS taken",
    [node],
  );
  if (lock.rows[0]?.taken !== true) {
    throw new RecordStoreError('STORE_BUSY', 'the store has another owner', { node });
  }
}

function createSession(client: Client, node: string): RecordSession {
  let closed: Promise<void> | undefined;

  async function write({ table, id, expectedRevision, bytes }: RecordWrite): Promise<void> {
    const at = [node, table, id];
    let done;
    if (bytes === null) {
      done = await client.query(
        'DELETE FROM holdfast_records WHERE node = $1 AND collection = $2 AND id = $3 AND revision = $4',
        [...at, expectedRevision],
      );
    } else if (expectedRevision === 0) {
      done = await client.query(
        'INSERT INTO holdfast_records VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING',
        [...at, Buffer.from(bytes)],
      );
    } else {
      done = await client.query(
        `UPDATE holdfast_records SET revision = revision + 1, bytes = $5
         WHERE node = $1 AND collection = $2 AND id = $3 AND revision = $4`,
        [...at, expectedRevision, Buffer.from(bytes)],
      );
    }
    if (done.rowCount !== 1) {
      throw new RecordStoreError('STORE_CONFLICT', 'a record is at another revision', { table, id });
    }
  }

  async function readBounds(): Promise<LogBounds> {
    const { rows } = await client.query<{ first: number | null; size: number | null }>(
      'SELECT min(position) AS first, max(position) + 1 AS size FROM holdfast_entries WHERE node = $1',
      [node],
    );
    return { first: rows[0]?.first ?? 0, size: rows[0]?.size ?? 0 };
  }

  async function append({ start, entries }: LogAddition): Promise<void> {
    const { size } = await readBounds();
    if (start !== size) {
      throw new RecordStoreError('STORE_CONFLICT', 'the log has another size', {
        expected: start,
        actual: size,
      });
    }
    await insertEntries(start, entries);
  }

  /** Inserts all entries by one statement: a round trip for each would cost more than the rest of the commit. */
  async function insertEntries(start: number, entries: readonly Uint8Array[]): Promise<void> {
    await client.query(
      `INSERT INTO holdfast_entries
       SELECT $1, $2::bigint + ordinality - 1, entry FROM unnest($3::bytea[]) WITH ORDINALITY AS t (entry, ordinality)`,
      [node, start, entries.map((bytes) => Buffer.from(bytes))],
    );
  }

  async function count(): Promise<number> {
    const { rows } = await client.query<{ count: number }>(
      'SELECT count(*) AS count FROM holdfast_records WHERE node = $1',
      [node],
    );
    return rows[0]?.count ?? 0;
  }

  /** @param inserts true where there may be more records afterwards; counting takes the longer the more there are */
  async function transact(inserts: boolean, act: () => Promise<void>): Promise<void> {
    await client.query('BEGIN');
    try {
      await act();
      if (inserts && (await count()) > MAX_RECORDS) {
        throw new RecordStoreError('STORE_FULL', 'too many records', { maximum: MAX_RECORDS });
      }
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
    await client.query('COMMIT');
  }

  return {
    read: ({ table, id }: RecordKey) =>
      guard(async () => {
        const { rows } = await client.query<{ revision: number; bytes: Buffer }>(
          'SELECT revision, bytes FROM holdfast_records WHERE node = $1 AND collection = $2 AND id = $3',
          [node, table, id],
        );
        const row = rows[0];
        return row === undefined ? null : { revision: row.revision, bytes: new Uint8Array(row.bytes) };
      }),
    list: () =>
      guard(async () => {
        const { rows } = await client.query<{ table: string; id: string; revision: number }>(
          `SELECT collection AS table, id, revision FROM holdfast_records
           WHERE node = $1 ORDER BY collection COLLATE "C", id COLLATE "C"`,
          [node],
        );
        return rows;
      }),
    commit: (writes, log) =>
      guard(() =>
        transact(hasInsert(writes), async () => {
          for (const one of writes) await write(one);
          if (log !== undefined) await append(log);
        }),
      ),
    logBounds: () => guard(readBounds),
    readEntries: (start, limit) =>
      guard(async () => {
        const { rows } = await client.query<{ bytes: Buffer }>(
          'SELECT bytes FROM holdfast_entries WHERE node = $1 AND position >= $2 ORDER BY position LIMIT $3',
          [node, start, Math.min(limit, MAX_READ_ENTRIES)],
        );
        return rows.map(({ bytes }) => new Uint8Array(bytes));
      }),
    dropEntries: (before) =>
      guard(async () => {
        const { size } = await readBounds();
        await client.query('DELETE FROM holdfast_entries WHERE node = $1 AND position < $2', [
          node,
          Math.min(before, size - 1),
        ]);
      }),
    restore: (records, log) =>
      guard(() =>
        transact(true, async () => {
          if ((await count()) > 0 || (await readBounds()).size > 0) {
            throw new RecordStoreError('STORE_CONFLICT', 'the store is not empty');
          }
          for (const { table, id, revision, bytes } of records) {
            const values = [node, table, id, revision, Buffer.from(bytes)];
            await client.query('INSERT INTO holdfast_records VALUES ($1, $2, $3, $4, $5)', values);
          }
          if (log !== undefined) await insertEntries(log.start, log.entries);
        }),
      ),
    close: () => {
      closed ??= client.end().catch(() => {});
      return closed;
    },
  };
}

async function guard<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RecordStoreError) throw error;
    const state = error instanceof DatabaseError ? error.code : undefined;
    throw new RecordStoreError('STORE_FAILED', 'the database failed', { state }, error);
  }
}
