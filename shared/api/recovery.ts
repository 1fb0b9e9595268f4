import * as z from 'zod';
import { hex, hexOf, identifier, time } from '../recovery/fields.ts';

/**
 * Bodies of the interface to backups; every request is signed by a client.
 *
 * GET  /v1/recovery                       which keys a kept backup covers
 * POST /v1/recovery/backup                a backup of one key, or of a page of a pool's keys, with its proof
 * POST /v1/recovery/acknowledgement       the word of a keeper that a backup is kept
 */

/** Longest response to a request for a backup in bytes. */
export const MAX_BACKUP_ANSWER_BYTES = 5 * 1024 * 1024;

export const backupRequestSchema = z.strictObject({
  /** A key or a pool. */
  key: identifier,
  /** Of the auditor; attestation document and statement have it. */
  nonce: hexOf(16, 64),
  /** Of a pool: the id of the key after which to go on; null for the first page. */
  after: z.uuid({ version: 'v4' }).nullable(),
});
export type BackupRequest = z.infer<typeof backupRequestSchema>;

/** As many as a node remembers of one key: 8 of each of 32 backups. */
const MAX_FORMER_KEEPERS = 256;

const base64 = z.base64().max(1024 * 1024);

export const backupResponseSchema = z.strictObject({
  /** Statement, attestation document and ciphertexts in base64, as shared/recovery/SPEC.md has them in a file. */
  statement: base64,
  document: base64,
  ciphertexts: z.array(base64).min(1).max(1024),
  rule: identifier,
  configuration: z.int().min(1),
  receipt: z.unknown().optional(),
});

export const acknowledgementRequestSchema = z.strictObject({
  key: identifier,
  /** The keeper's DSSE envelope in base64. */
  acknowledgement: z.base64().max(4096),
});
export type AcknowledgementRequest = z.infer<typeof acknowledgementRequestSchema>;

export const acknowledgementResponseSchema = z.strictObject({
  statement: hex(48),
  keeper: identifier,
  rule: identifier,
  configuration: z.int().min(1),
  receipt: z.unknown().optional(),
});

/**
 * Whether a kept backup covers a key: `kept`; `outdated`, where one covers an epoch or key of before; `missing`; `empty`,
 * where the node holds nothing of it.
 */
export const backupStateSchema = z.enum(['kept', 'outdated', 'missing', 'empty']);

export const recoveryStatusSchema = z.strictObject({
  recoveryKey: hex(32),
  keys: z
    .array(
      z.strictObject({
        key: identifier,
        state: backupStateSchema,
        /** Whether the configuration asks for a kept backup of it. */
        required: z.boolean(),
        /** The newest backup that a keeper of the configuration has acknowledged; null for none. */
        kept: z.strictObject({ statement: hex(48), keeper: identifier, time }).nullable(),
        /** Keepers whose acknowledgement counts no more: the configuration names them not at all, or by another key. */
        formerKeepers: z.array(identifier).max(MAX_FORMER_KEEPERS),
      }),
    )
    .max(2048),
});
export type RecoveryStatus = z.infer<typeof recoveryStatusSchema>;
