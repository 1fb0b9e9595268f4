import * as z from 'zod';
import {
  MAX_MANIFEST_BYTES,
  MAX_CONFIGURATION_BYTES,
  MAX_SECRET_BLOB_BYTES,
  MAX_RECORD_BYTES,
  MAX_LISTED_RECORDS,
  MAX_LOG_ENTRIES,
  MAX_LOG_ENTRY_BYTES,
  MAX_WRITES,
  MAX_CREDENTIAL_BYTES,
  MAX_ADMISSION_NONCE_BYTES,
  MAX_ATTESTATION_BYTES,
} from './limits.ts';

export * from './limits.ts';

/**
 * What an enclave asks of its parent, one request and one answer after the other on one connection to
 * `PARENT_PORT.control`. The enclave believes none of the answers: manifest and configuration are measured or
 * signed, blobs and records are sealed, credentials only let it reach KMS.
 */

const bytes = (maximum: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= maximum);
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,127}$/);
const revision = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Where a sealed record lies. `revision` counts its writes from 1; 0 means that there is none. */
export const recordKeySchema = z.strictObject({ table: name, id: name });
export type RecordKey = z.infer<typeof recordKeySchema>;

/** The order in which records are listed: by table, then by id, byte by byte (names are ASCII). */
export function compareRecordKeys(left: RecordKey, right: RecordKey): number {
  const [one, other] = left.table === right.table ? [left.id, right.id] : [left.table, right.table];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** One write of a commit; `bytes: null` deletes. The commit happens whole or not at all. */
export const recordWriteSchema = z.strictObject({
  table: name,
  id: name,
  expectedRevision: revision,
  bytes: bytes(MAX_RECORD_BYTES).nullable(),
});
export type RecordWrite = z.infer<typeof recordWriteSchema>;

/** Entries that follow those that a node's log has: `start` is the number of entries before the first of them. */
export const logAdditionSchema = z.strictObject({
  start: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  entries: z.array(bytes(MAX_LOG_ENTRY_BYTES)).min(1).max(MAX_LOG_ENTRIES),
});
export type LogAddition = z.infer<typeof logAdditionSchema>;

/** The phases of a node, in their order; `serving`, `stopped` and `failed` are where it can stay. */
export const NODE_PHASES = [
  'starting',
  'measuring',
  'configuring',
  'unlocking',
  'opening',
  'witnessing',
  'serving',
  'stopped',
  'failed',
] as const;
export const nodePhaseSchema = z.enum(NODE_PHASES);
export type NodePhase = z.infer<typeof nodePhaseSchema>;

export const controlRequestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('manifest') }),
  z.strictObject({ type: z.literal('configuration') }),
  z.strictObject({ type: z.literal('secret'), name }),
  z.strictObject({ type: z.literal('credentials') }),
  /**
   * Whether somebody wants to see this image attest before KMS admits it, and the document that shows it. It carries
   * neither public key nor user data: it lets nobody decrypt and vouches for no connection.
   */
  z.strictObject({ type: z.literal('admission-nonce') }),
  z.strictObject({ type: z.literal('admission-document'), bytes: bytes(MAX_ATTESTATION_BYTES) }),
  z.strictObject({ type: z.literal('store-read'), table: name, id: name }),
  /** The places of records in ascending order, those after `after` where it is given. */
  z.strictObject({ type: z.literal('store-list'), after: recordKeySchema.exactOptional() }),
  z.strictObject({
    type: z.literal('store-commit'),
    writes: z.array(recordWriteSchema).min(1).max(MAX_WRITES),
    log: logAdditionSchema.exactOptional(),
  }),
  z.strictObject({
    type: z.literal('status'),
    phase: nodePhaseSchema,
    /** The stable code of the error that ended it, in phase `failed`; in phase `serving`, of what an operator should know. */
    code: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]{1,63}$/)
      .nullable(),
  }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** Why a parent did not do what it was asked. */
export const controlErrorCodeSchema = z.enum([
  'BAD_REQUEST',
  'NOT_FOUND',
  'STORE_BUSY',
  'STORE_CONFLICT',
  'STORE_FAILED',
  'STORE_FULL',
  'UNAVAILABLE',
]);
export type ControlErrorCode = z.infer<typeof controlErrorCodeSchema>;

/** What AWS makes credentials of, or may one day: nothing that could end a header. */
const credential = z.string().regex(/^[\x21-\x7e]+$/);

/** Temporary AWS credentials of the instance role; `expiration` in milliseconds since 1970. */
export const credentialsSchema = z.strictObject({
  accessKeyId: credential.max(256),
  secretAccessKey: credential.max(256),
  sessionToken: credential.max(MAX_CREDENTIAL_BYTES).nullable(),
  expiration: z.int().positive().nullable(),
});
export type Credentials = z.infer<typeof credentialsSchema>;

export const controlResponseSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('manifest'), bytes: bytes(MAX_MANIFEST_BYTES) }),
  z.strictObject({ type: z.literal('configuration'), bytes: bytes(MAX_CONFIGURATION_BYTES) }),
  /** `bytes: null`: the parent says that there is no such secret. */
  z.strictObject({ type: z.literal('secret'), bytes: bytes(MAX_SECRET_BLOB_BYTES).nullable() }),
  z.strictObject({ type: z.literal('credentials'), credentials: credentialsSchema }),
  z.strictObject({ type: z.literal('admission-nonce'), bytes: bytes(MAX_ADMISSION_NONCE_BYTES).nullable() }),
  z.strictObject({ type: z.literal('admission-document') }),
  z.strictObject({
    type: z.literal('store-read'),
    record: z.strictObject({ revision, bytes: bytes(MAX_RECORD_BYTES) }).nullable(),
  }),
  z.strictObject({
    type: z.literal('store-list'),
    /** As many as fit, so that fewer than MAX_LISTED_RECORDS are the last. */
    records: z.array(z.strictObject({ table: name, id: name, revision })).max(MAX_LISTED_RECORDS),
  }),
  z.strictObject({ type: z.literal('store-commit') }),
  z.strictObject({ type: z.literal('status') }),
  z.strictObject({ type: z.literal('error'), code: controlErrorCodeSchema }),
]);
export type ControlResponse = z.infer<typeof controlResponseSchema>;
