import type { RecordStorage } from '../enclave/store/index.ts';
import { AuditLog } from '../parent/log/audit-log.ts';
import { silentLog } from '../parent/common/log.ts';
import { RecordStoreError } from '../parent/store/errors.ts';
import { createSqliteStore } from '../parent/store/sqlite-store.ts';
import { ControlError, LogLinkError } from '../shared/protocol/errors.ts';
import type { LogClient } from '../shared/protocol/log-client.ts';

/** Where a cold node keeps its sealed records and its log: what an enclave leaves to its parent. */
export interface ColdStorage {
  readonly storage: RecordStorage & { secret(name: string): Promise<null> };
  readonly logClient: Pick<LogClient, 'publish'>;
  /** Proves that the tree of one size continues that of a smaller one (RFC 6962, 2.1.2). */
  readonly proveConsistency: (older: number, newer: number) => Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

/**
 * Opens the records in an SQLite file, locked for as long as it is open, and the log in a folder of static files (C2SP
 * tlog-tiles).
 *
 * @throws RecordStoreError STORE_BUSY, STORE_FAILED
 */
export async function openColdStorage(recordsFile: string, logFolder: string): Promise<ColdStorage> {
  const session = await createSqliteStore(recordsFile).open();
  const log = new AuditLog({ directory: logFolder, witnesses: [] }, silentLog);
  log.attach(session);
  const link = log.openSession();
  return {
    storage: {
      readRecord: (key) => session.read(key),
      listRecords: () => session.list(),
      commit: async (writes, addition) => {
        try {
          await session.commit(writes, addition);
        } catch (error) {
          if (!(error instanceof RecordStoreError)) throw error;
          const code = error.code === 'STORE_FULL' ? 'CONTROL_STORE_FULL' : 'CONTROL_COMMIT_UNRESOLVED';
          throw new ControlError(code, 'the records cannot be written', {}, error);
        }
        if (addition !== undefined) log.accept(addition);
      },
      secret: () => Promise.resolve(null),
    },
    logClient: {
      publish: async (checkpoint) => {
        const response = await link.handle({ type: 'checkpoint', ...checkpoint });
        if (response.type === 'error')
          throw new LogLinkError(`LOG_LINK_${response.code}`, 'the checkpoint cannot be published');
        return response;
      },
    },
    proveConsistency: (older, newer) => log.proveConsistency(older, newer),
    close: async () => {
      await log.close();
      await session.close();
    },
  };
}
