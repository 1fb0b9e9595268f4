import type { Transport } from '../transport/transport.ts';
import {
  compareRecordKeys,
  type ControlRequest,
  type ControlResponse,
  type Credentials,
  type LogAddition,
  MAX_LISTED_RECORDS,
  MAX_RECORDS,
  type NodePhase,
  type RecordKey,
  type RecordWrite,
} from './control.ts';
import { ControlLink } from './control-link.ts';
import { ControlError } from './errors.ts';
import { LostResponse } from './request-link.ts';
import type { ResponseTo } from './request-service.ts';

const DEFAULT_TIMEOUT_MS = 15_000;

export interface ControlClientOptions {
  /** Milliseconds for each call, reconnections included; 15,000 when left out. */
  readonly timeoutMs?: number;
}

/** A sealed record and how often it was written; see `recordKeySchema`. */
export interface StoredRecord {
  readonly revision: number;
  readonly bytes: Uint8Array;
}

export interface RecordListing extends RecordKey {
  readonly revision: number;
}

/**
 * What an enclave asks of its parent. Calls queue: one request and its answer after the other. Nothing that comes back
 * is to be believed without a measurement, a signature or a seal. All methods throw {@link ControlError}.
 */
export interface ControlClient {
  manifest(): Promise<Uint8Array>;
  configuration(): Promise<Uint8Array>;
  /** `null` when the parent says that there is none. */
  secret(name: string): Promise<Uint8Array | null>;
  credentials(): Promise<Credentials>;
  /** The nonce of somebody who wants to see this image attest before it is admitted; `null` when nobody does. */
  admissionNonce(): Promise<Uint8Array | null>;
  publishAdmission(document: Uint8Array): Promise<void>;
  readRecord(key: RecordKey): Promise<StoredRecord | null>;
  listRecords(): Promise<readonly RecordListing[]>;
  /**
   * Writes all records and appends all entries to the node's log, or does nothing.
   * @throws ControlError CONTROL_STORE_CONFLICT when a record's revision, or the log's size, was another than expected,
   * CONTROL_COMMIT_UNRESOLVED when nobody can tell whether it happened
   */
  commit(writes: readonly RecordWrite[], log?: LogAddition): Promise<void>;
  reportStatus(phase: NodePhase, code: string | null): Promise<void>;
  /** Hangs up; calls that wait or come later throw CONTROL_CLOSED. */
  close(): void;
}

/**
 * Connects when first asked and again whenever the connection was lost, so that a parent that restarts does not end a
 * node that serves. What only reads is simply asked again until the call's deadline. A commit whose answer was lost is
 * resolved by reading its records back: they hold the written bytes at the next revision, or those before it, and
 * then it is sent again. A proper connection that brings an improper answer is not tried a second time.
 */
export function createControlClient(transport: Transport, options: ControlClientOptions = {}): ControlClient {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const link = new ControlLink(transport);
  let last: Promise<unknown> = Promise.resolve();

  function enqueue<T>(act: (end: number) => Promise<T>): Promise<T> {
    const call = last.then(() => act(performance.now() + timeoutMs));
    last = call.catch(() => {});
    return call;
  }
  function ask<Request extends ControlRequest>(
    request: Request,
  ): Promise<ResponseTo<Request, ControlResponse>> {
    return enqueue((end) => link.ask(request, end));
  }

  return {
    manifest: async () => (await ask({ type: 'manifest' })).bytes.slice(),
    configuration: async () => (await ask({ type: 'configuration' })).bytes.slice(),
    secret: async (name) => (await ask({ type: 'secret', name })).bytes?.slice() ?? null,
    credentials: async () => (await ask({ type: 'credentials' })).credentials,
    admissionNonce: async () => (await ask({ type: 'admission-nonce' })).bytes?.slice() ?? null,
    publishAdmission: async (document) => {
      await ask({ type: 'admission-document', bytes: document });
    },
    readRecord: async ({ table, id }) => copyRecord((await ask({ type: 'store-read', table, id })).record),
    listRecords: () => enqueue((end) => listRecords(link, end)),
    commit: (writes, log) => enqueue((end) => commit(link, writes, log, end)),
    reportStatus: async (phase, code) => {
      await ask({ type: 'status', phase, code });
    },
    close: () => link.close(),
  };
}

/** All records, page by page. A list that is out of order, or longer than a store can be, is no list. */
async function listRecords(link: ControlLink, end: number): Promise<RecordListing[]> {
  const records: RecordListing[] = [];
  for (;;) {
    const after = records.at(-1);
    const { records: page } = await link.ask(
      {
        type: 'store-list',
        ...(after === undefined ? {} : { after: { table: after.table, id: after.id } }),
      },
      end,
    );
    for (const record of page) {
      const last = records.at(-1);
      if (records.length === MAX_RECORDS || (last !== undefined && compareRecordKeys(last, record) >= 0)) {
        throw new ControlError(
          'CONTROL_ANSWER_INVALID',
          'a list of records that is out of order or too long',
          {
            records: records.length,
          },
        );
      }
      records.push(record);
    }
    if (page.length < MAX_LISTED_RECORDS) return records;
  }
}

function copyRecord(record: StoredRecord | null): StoredRecord | null {
  return record === null ? null : { revision: record.revision, bytes: record.bytes.slice() };
}

async function commit(
  link: ControlLink,
  writes: readonly RecordWrite[],
  log: LogAddition | undefined,
  end: number,
): Promise<void> {
  const request: Extract<ControlRequest, { type: 'store-commit' }> = {
    type: 'store-commit',
    writes: [...writes],
    ...(log === undefined ? {} : { log }),
  };
  let isUncertain = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await link.askOnce(request, end);
      return;
    } catch (error) {
      const hasLostResponse = error instanceof LostResponse;
      if (hasLostResponse) isUncertain ||= error.wasSent;
      const code = error instanceof ControlError ? error.code : undefined;
      // A conflict after a lost answer may be with our own first attempt.
      const isConflict = code === 'CONTROL_STORE_CONFLICT';
      // A database that failed may have failed behind the commit.
      const hasFailed = code === 'CONTROL_STORE_FAILED';
      if (!hasLostResponse && !hasFailed && !(isConflict && isUncertain)) throw error;
      isUncertain ||= hasFailed;
      if (!isUncertain) {
        await link.pause(attempt, end, error);
        continue;
      }
      const outcome = await readBack(link, writes, end, error);
      if (outcome === 'written') return;
      if (hasFailed && outcome === 'unwritten') throw error;
      if (outcome === 'changed' || isConflict) {
        throw new ControlError('CONTROL_STORE_CONFLICT', 'the store holds something else', {}, error);
      }
      await link.pause(attempt, end, error);
    }
  }
}

async function readBack(
  link: ControlLink,
  writes: readonly RecordWrite[],
  end: number,
  cause: unknown,
): Promise<'written' | 'unwritten' | 'changed'> {
  let written = 0;
  let unwritten = 0;
  for (const { table, id, expectedRevision, bytes } of writes) {
    let record: StoredRecord | null;
    try {
      ({ record } = await link.ask({ type: 'store-read', table, id }, end));
    } catch (error) {
      throw new ControlError(
        'CONTROL_COMMIT_UNRESOLVED',
        'whether a commit happened cannot be read back',
        {},
        new AggregateError([cause, error]),
      );
    }
    if (isWritten(record, expectedRevision, bytes)) written += 1;
    else if ((record?.revision ?? 0) === expectedRevision) unwritten += 1;
  }
  if (written === writes.length) return 'written';
  return unwritten === writes.length ? 'unwritten' : 'changed';
}

function isWritten(record: StoredRecord | null, expectedRevision: number, bytes: Uint8Array | null): boolean {
  if (bytes === null) return record === null;
  return record?.revision === expectedRevision + 1 && Buffer.compare(record.bytes, bytes) === 0;
}
