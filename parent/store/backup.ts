import { z } from 'zod';
import { CborError, decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import { MAX_RECORDS, MAX_RECORD_BYTES, recordKeySchema } from '../../shared/protocol/control.ts';
import { RecordStoreError } from './errors.ts';
import type { RecordSession } from './record-store.ts';

const FORMAT = 'holdfast-records/1';
/** More than a file of all records that there may be is worth reading whole. */
export const MAX_BACKUP_BYTES = 256 * 1024 * 1024;

const backupSchema = z.strictObject({
  format: z.literal(FORMAT),
  records: z
    .array(
      recordKeySchema.extend({
        revision: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
        bytes: z.custom<Uint8Array>(
          (value) => value instanceof Uint8Array && value.length <= MAX_RECORD_BYTES,
        ),
      }),
    )
    .max(MAX_RECORDS),
});

/**
 * All records of a store as one file: CBOR, `{format, records: [{table, id, revision, bytes}]}`. They are sealed, and
 * whether they are the newest, the enclave finds out.
 * @throws RecordStoreError STORE_FAILED
 */
export async function writeBackup(session: RecordSession): Promise<Uint8Array> {
  const records = [];
  for (const { table, id } of await session.list()) {
    const record = await session.read({ table, id });
    if (record !== null) records.push({ table, id, revision: record.revision, bytes: record.bytes });
  }
  return encodeCbor({ format: FORMAT, records });
}

/**
 * Puts a backup into an empty store, of whichever kind: this is also how records move from one kind to another.
 * Returns how many there were.
 * @throws RecordStoreError STORE_BACKUP_INVALID, STORE_CONFLICT when the store is not empty, STORE_FAILED
 */
export async function restoreBackup(session: RecordSession, backup: Uint8Array): Promise<number> {
  let records;
  try {
    ({ records } = backupSchema.parse(decodeCborObject(backup, { maxBytes: MAX_BACKUP_BYTES, maxDepth: 3 })));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof z.ZodError)) throw error;
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'not a backup of records', {}, error);
  }
  if (new Set(records.map(({ table, id }) => `${table}/${id}`)).size !== records.length) {
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'a backup that names a record twice');
  }
  await session.restore(records);
  return records.length;
}
