import { parentPort, workerData } from 'node:worker_threads';
import { RecordStoreError } from './errors.ts';
import type { RecordSession } from './record-store.ts';
import { openSqliteSession } from './sqlite-session.ts';
import type { SqliteResponse, SqliteCall } from './sqlite-store.ts';

// Thread on which SQLite may wait for the disk. It opens the file that it was given and handles one call after the
// other.
const port = parentPort;
if (port === null) throw new Error('expected to run as a worker thread');

let session: RecordSession | undefined;

function run(call: SqliteCall): Promise<unknown> {
  if (call.method === 'open') {
    session = openSqliteSession(String(workerData));
    return Promise.resolve();
  }
  if (session === undefined) throw new RecordStoreError('STORE_FAILED', 'the store is not open');
  if (call.method === 'read') return session.read(call.argument);
  if (call.method === 'list') return session.list();
  if (call.method === 'commit') return session.commit(call.argument.writes, call.argument.log);
  if (call.method === 'logBounds') return session.logBounds();
  if (call.method === 'readEntries') return session.readEntries(call.argument.start, call.argument.count);
  if (call.method === 'dropEntries') return session.dropEntries(call.argument);
  if (call.method === 'restore') return session.restore(call.argument.records, call.argument.log);
  return session.close();
}

async function answer(call: SqliteCall): Promise<SqliteResponse> {
  try {
    return { value: await run(call) };
  } catch (error) {
    const known = error instanceof RecordStoreError ? error : undefined;
    return {
      code: known?.code ?? 'STORE_FAILED',
      message: known?.message ?? 'the database failed',
      details: known?.details ?? {},
    };
  }
}

let last: Promise<void> = Promise.resolve();
port.on('message', (call: SqliteCall) => {
  last = last.then(async () => port.postMessage(await answer(call)));
});
