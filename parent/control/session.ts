import { errorCode } from '../../shared/errors.ts';
import type { RecordListing } from '../../shared/protocol/control-client.ts';
import {
  MAX_ADMISSION_NONCE_BYTES,
  MAX_CONFIGURATION_BYTES,
  MAX_LISTED_RECORDS,
  MAX_MANIFEST_BYTES,
  MAX_SECRET_BLOB_BYTES,
  compareRecordKeys,
  type ControlResponse,
  type ControlErrorCode,
  type ControlRequest,
  type RecordKey,
  type RecordWrite,
} from '../../shared/protocol/control.ts';
import type { Log } from '../common/log.ts';
import type { RequestSession } from '../common/request-server.ts';
import { RecordStoreError, type RecordStoreErrorCode } from '../store/errors.ts';
import type { RecordSession } from '../store/record-store.ts';
import type { ControlSources } from './sources.ts';

/** One control connection's requests, one after the other. It owns the store from its first store request on. */
export type ControlSession = RequestSession<ControlRequest, ControlResponse>;

const SOURCE_TIMEOUT_MS = 10_000;

const STORE_ANSWERS: Readonly<Record<RecordStoreErrorCode, ControlErrorCode>> = {
  STORE_BACKUP_INVALID: 'STORE_FAILED',
  STORE_BACKUP_TOO_LARGE: 'STORE_FAILED',
  STORE_BUSY: 'STORE_BUSY',
  STORE_CONFLICT: 'STORE_CONFLICT',
  STORE_FAILED: 'STORE_FAILED',
  STORE_FORMAT_UNKNOWN: 'STORE_FAILED',
  STORE_FULL: 'STORE_FULL',
  STORE_PASSWORD_UNAVAILABLE: 'STORE_FAILED',
};

export function createControlSession(sources: ControlSources, log: Log): ControlSession {
  let store: RecordSession | undefined;
  async function openStore(): Promise<RecordSession> {
    if (store === undefined) {
      store = await sources.store.open();
      sources.entries?.attach(store);
      await sources.identity?.opened(store);
    }
    return store;
  }
  // A node's first request of the store delays its first signature, so that the store gets ready now.
  sources.store.prepare?.();

  async function answer(request: ControlRequest): Promise<ControlResponse> {
    const signal = AbortSignal.timeout(SOURCE_TIMEOUT_MS);
    switch (request.type) {
      case 'manifest':
        return answerArtifact('manifest', await sources.manifest(signal), MAX_MANIFEST_BYTES);
      case 'configuration':
        return answerArtifact('configuration', await sources.configuration(signal), MAX_CONFIGURATION_BYTES);
      case 'secret': {
        const bytes = await sources.secrets.get(request.name, signal);
        if (bytes !== null && bytes.length > MAX_SECRET_BLOB_BYTES) return refuse('UNAVAILABLE');
        return { type: 'secret', bytes };
      }
      case 'credentials':
        return { type: 'credentials', credentials: await sources.credentials(signal) };
      case 'admission-nonce': {
        const bytes = (await sources.admission?.nonce(signal)) ?? null;
        if (bytes !== null && bytes.length > MAX_ADMISSION_NONCE_BYTES) return refuse('UNAVAILABLE');
        return { type: 'admission-nonce', bytes };
      }
      case 'admission-document':
        if (sources.admission === undefined) return refuse('BAD_REQUEST');
        await sources.admission.publish(request.bytes, signal);
        return { type: 'admission-document' };
      case 'store-read':
        return { type: 'store-read', record: await (await openStore()).read(request) };
      case 'store-list':
        return {
          type: 'store-list',
          records: takePage(await (await openStore()).list(), request.after),
        };
      case 'store-commit':
        if (!areDistinct(request.writes)) return refuse('BAD_REQUEST');
        await (await openStore()).commit(request.writes, request.log);
        if (request.log !== undefined) sources.entries?.accept(request.log);
        sources.identity?.committed(request.writes, request.log);
        return { type: 'store-commit' };
      case 'status':
        break;
    }
    sources.onStatus(request.phase, request.code);
    return { type: 'status' };
  }

  async function closeStore(): Promise<void> {
    const closing = store;
    store = undefined;
    if (closing !== undefined) sources.entries?.detach();
    await closing?.close().catch((error: unknown) => {
      log('error', 'store.close-failed', { code: errorCode(error) });
    });
  }

  return {
    async handle(request) {
      try {
        return await answer(request);
      } catch (error) {
        log('warn', 'control.refused', { request: request.type, code: errorCode(error) });
        if (!(error instanceof RecordStoreError)) return refuse('UNAVAILABLE');
        // A database that broke may be back: the next request opens the store anew.
        if (error.code === 'STORE_FAILED') await closeStore();
        return refuse(STORE_ANSWERS[error.code]);
      }
    },
    close: closeStore,
  };
}

function answerArtifact(
  type: 'configuration' | 'manifest',
  bytes: Uint8Array | null,
  maximum: number,
): ControlResponse {
  if (bytes === null) return refuse('NOT_FOUND');
  return bytes.length > maximum ? refuse('UNAVAILABLE') : { type, bytes };
}

function refuse(code: ControlErrorCode): ControlResponse {
  return { type: 'error', code };
}

function takePage(records: readonly RecordListing[], after: RecordKey | undefined): RecordListing[] {
  const rest = after === undefined ? records : records.filter((one) => compareRecordKeys(one, after) > 0);
  return rest.toSorted(compareRecordKeys).slice(0, MAX_LISTED_RECORDS);
}

function areDistinct(writes: readonly RecordWrite[]): boolean {
  return new Set(writes.map(({ table, id }) => `${table}/${id}`)).size === writes.length;
}
