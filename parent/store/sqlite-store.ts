import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RecordListing, StoredRecord } from '../../shared/protocol/control-client.ts';
import type { LogAddition, RecordKey, RecordWrite } from '../../shared/protocol/control.ts';
import { siblingModule } from '../../shared/sibling-module.ts';
import { RecordStoreError, type RecordStoreErrorCode } from './errors.ts';
import type { KeptEntries, KeptRecord, LogBounds, RecordSession, RecordStore } from './record-store.ts';

/** Call to the worker; its results come back in the same order. */
export type SqliteCall =
  | { readonly method: 'close' | 'list' | 'logBounds' | 'open' }
  | { readonly method: 'read'; readonly argument: RecordKey }
  | {
      readonly method: 'commit';
      readonly argument: { readonly writes: readonly RecordWrite[]; readonly log: LogAddition | undefined };
    }
  | { readonly method: 'readEntries'; readonly argument: { readonly start: number; readonly count: number } }
  | { readonly method: 'dropEntries'; readonly argument: number }
  | {
      readonly method: 'restore';
      readonly argument: { readonly records: readonly KeptRecord[]; readonly log: KeptEntries | undefined };
    };
export type SqliteResponse =
  | { readonly value: unknown }
  | {
      readonly code: RecordStoreErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };

/**
 * Store in one SQLite file. The file is locked for as long as a session is open, against other processes and against
 * this one: the lock is SQLite's own, so a process that dies releases it. A commit is one transaction in the
 * write-ahead log, which is synced to disk before the commit returns.
 *
 * Each session has a thread of its own: a slow disk holds up the node's records, and not the connections that the same
 * process forwards.
 */
export function createSqliteStore(path: string): RecordStore {
  let spare: SqliteThread | undefined;
  return {
    prepare() {
      if (spare !== undefined) return;
      spare = new SqliteThread(path);
      spare.isAwaited = false;
    },
    async open() {
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        // SQLite gives its side files the permissions of the main one.
        await (await open(path, 'a', 0o600)).close();
      } catch (error) {
        throw new RecordStoreError('STORE_FAILED', 'the file of the store cannot be made', { path }, error);
      }
      const thread = spare ?? new SqliteThread(path);
      spare = undefined;
      return await openSession(thread);
    },
  };
}

async function openSession(thread: SqliteThread): Promise<RecordSession> {
  thread.isAwaited = true;
  try {
    await thread.call({ method: 'open' });
  } catch (error) {
    await thread.end();
    throw error;
  }
  let closed: Promise<void> | undefined;
  return {
    read: (argument) => thread.call<StoredRecord | null>({ method: 'read', argument }),
    list: () => thread.call<readonly RecordListing[]>({ method: 'list' }),
    commit: (writes, log) => thread.call<void>({ method: 'commit', argument: { writes, log } }),
    logBounds: () => thread.call<LogBounds>({ method: 'logBounds' }),
    readEntries: (start, count) =>
      thread.call<readonly Uint8Array[]>({ method: 'readEntries', argument: { start, count } }),
    dropEntries: (argument) => thread.call<void>({ method: 'dropEntries', argument }),
    restore: (records, log) => thread.call<void>({ method: 'restore', argument: { records, log } }),
    close() {
      closed ??= thread.call<void>({ method: 'close' }).finally(() => thread.end());
      return closed;
    },
  };
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Worker, and the callers that wait for its results. */
class SqliteThread {
  readonly #worker: Worker;
  readonly #pending: Pending[] = [];
  #hasEnded = false;

  constructor(path: string) {
    this.#worker = new Worker(siblingModule(import.meta.url, 'sqlite-worker'), {
      workerData: path,
      // The process may have been started with options that no worker takes.
      execArgv: [],
    });
    this.#worker.on('message', (result: SqliteResponse) => this.#settle(result));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(undefined));
  }

  /** True keeps the process alive for the worker's sake. */
  set isAwaited(isAwaited: boolean) {
    if (isAwaited) this.#worker.ref();
    else this.#worker.unref();
  }

  /** Calls the worker, which runs this module's own code and returns results in the order of the calls. */
  call<T>(call: SqliteCall): Promise<T> {
    if (this.#hasEnded) return Promise.reject(failed(undefined));
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({ resolve: resolve as (value: unknown) => void, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      this.#worker.postMessage(call);
    });
  }

  async end(): Promise<void> {
    this.#hasEnded = true;
    await this.#worker.terminate();
  }

  #settle(result: SqliteResponse): void {
    const first = this.#pending.shift();
    if ('value' in result) first?.resolve(result.value);
    else first?.reject(new RecordStoreError(result.code, result.message, result.details));
  }

  #fail(cause: unknown): void {
    this.#hasEnded = true;
    for (const { reject } of this.#pending.splice(0)) reject(failed(cause));
  }
}

function failed(cause: unknown): RecordStoreError {
  return new RecordStoreError('STORE_FAILED', 'the store is closed, or its thread has ended', {}, cause);
}
