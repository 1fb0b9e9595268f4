import { z } from 'zod';
import { CborError, decodeCborObject, encodeCbor } from '../../shared/cbor/index.ts';
import { MAX_RECORDS, MAX_RECORD_BYTES, recordKeySchema } from '../../shared/protocol/control.ts';
import { RecordStoreError } from './errors.ts';
import type { RecordSession } from './record-store.ts';

const FORMAT = 'holdfast-records/1';
/** Maximum of bytes in a backup: more than all records that there may be. */
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
 * Writes all records of a store as one file: CBOR, `{format, records: [{table, id, revision, bytes}]}`. Records are
 * sealed; the enclave finds out whether they are the newest.
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
 * Puts a backup into an empty store of either kind, which also moves records from one kind to the other. Returns the
 * count of records.
 * @throws RecordStoreError STORE_BACKUP_INVALID, STORE_CONFLICT when the store is not empty, STORE_FAILED
 */
export async function restoreBackup(session: RecordSession, backup: Uint8Array): Promise<number> {
  let records;
  try {
    ({ records } = backupSchema.parse(decodeCborObject(backup, { maxBytes: MAX_BACKUP_BYTES, maxDepth: 3 })));
  } catch (error) {
    if (!(error instanceof CborError || error instanceof z.ZodError)) throw error;
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'expected a backup of records', {}, error);
  }
  if (new Set(records.map(({ table, id }) => `${table}/${id}`)).size !== records.length) {
    throw new RecordStoreError('STORE_BACKUP_INVALID', 'expected each record once, found one twice');
  }
  await session.restore(records);
  return records.length;
}
