import { z } from 'zod';
import { CborError, decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import {
  MAX_LOG_ENTRY_BYTES,
  MAX_RECORDS,
  MAX_RECORD_BYTES,
  recordKeySchema,
} from '../../shared/protocol/control.ts';
import { RecordStoreError } from './errors.ts';
import { type KeptEntries, type KeptRecord, MAX_READ_ENTRIES, type RecordSession } from './record-store.ts';

/** Maximum of bytes in a backup. */
export const MAX_BACKUP_BYTES = 256 * 1024 * 1024;

const bytes = (maximum: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= maximum);

const records = z
  .array(
    recordKeySchema.extend({
      revision: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
      bytes: bytes(MAX_RECORD_BYTES),
    }),
  )
  .max(MAX_RECORDS);

const backupSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('holdfast-records/1'), records }),
  z.strictObject({
    format: z.literal('holdfast-records/2'),
    records,
    log: z.strictObject({
      start: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
      entries: z.array(bytes(MAX_LOG_ENTRY_BYTES)),
    }),
  }),
]);

/**
 * Writes all records of a store, and the entries of its log that are in it, as one file: CBOR, `{format, records:
 * [{table, id, revision, bytes}], log: {start, entries}}`. Format 1 had no log. Records are sealed; the enclave finds
 * out whether they are the newest. Entries before `start` were dropped from the store once they lay in the log's folder.
 * @throws RecordStoreError STORE_BACKUP_TOO_LARGE, STORE_FAILED
 */
export async function writeBackup(session: RecordSession): Promise<Uint8Array> {
  const records = [];
  for (const { table, id } of await session.list()) {
    const record = await session.read({ table, id });
    if (record !== null) records.push({ table, id, revision: record.revision, bytes: record.bytes });
  }
  return encodeCbor({ format: 'holdfast-records/2', records, log: { ...(await readLog(session)) } });
}

async function readLog(session: RecordSession): Promise<KeptEntries> {
  const { first, size } = await session.logBounds();
  const entries: Uint8Array[] = [];
  let total = 0;
  while (first + entries.length < size) {
    const page = await session.readEntries(first + entries.length, MAX_READ_ENTRIES);
    if (page.length === 0) throw new RecordStoreError('STORE_FAILED', 'the log has a gap');
    entries.push(...page);
    total += page.reduce((sum, { length }) => sum + length, 0);
    if (total > MAX_BACKUP_BYTES) {
      throw new RecordStoreError(
        'STORE_BACKUP_TOO_LARGE',
        'the entries of the log are longer than a backup',
        {
          maximum: MAX_BACKUP_BYTES,
        },
      );
    }
  }
  return { start: first, entries };
}

/** Contents of a backup. */
export interface Backup {
  readonly records: readonly KeptRecord[];
  /** Undefined in a backup of format 1, which had no log. */
  readonly log: KeptEntries | undefined;
}

/** Reads a backup. @throws RecordStoreError STORE_BACKUP_INVALID */
export function parseBackup(backup: Uint8Array): Backup {
  let contents;
  try {
    contents = backupSchema.parse(decodeCborObject(backup, { maxBytes: MAX_BACKUP_BYTES, maxDepth: 3 }));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof z.ZodError)) throw error;
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'expected a backup of records', {}, error);
  }
  const { records } = contents;
  if (new Set(records.map(({ table, id }) => `${table}/${id}`)).size !== records.length) {
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'expected each record once, found one twice');
  }
  return { records, log: 'log' in contents ? contents.log : undefined };
}

/**
 * Puts a backup into an empty store of either kind, which also moves records from one kind to the other. Returns the
 * count of records.
 * @throws RecordStoreError STORE_BACKUP_INVALID, STORE_CONFLICT when the store is not empty, STORE_FAILED
 */
export async function restoreBackup(session: RecordSession, backup: Uint8Array): Promise<number> {
  const { records, log } = parseBackup(backup);
  await session.restore(records, log);
  return records.length;
}
