import * as z from 'zod';
import { type CanonicalJson, encodeCanonicalJson, JsonError, parseJson } from '../json/index.ts';
import { BackupError } from './errors.ts';
import { hex, identifier, time } from './fields.ts';

/** The DSSE payload type of an acknowledgement. */
export const ACKNOWLEDGEMENT_PAYLOAD_TYPE = 'application/vnd.holdfast.backup-acknowledgement+json';
/** The longest envelope of an acknowledgement in bytes. */
export const MAX_ACKNOWLEDGEMENT_BYTES = 2048;

const acknowledgementSchema = z.strictObject({
  format: z.literal('holdfast-backup-acknowledgement/1'),
  /** SHA-384 of the manifest of the node that made the backup. */
  manifest: hex(48),
  /** The id of the key or pool. */
  key: identifier,
  /** SHA-384 of the backup's statement. */
  statement: hex(48),
  /** When the keeper has signed, by their own clock. */
  time,
});

/** A keeper's word that a backup was verified and is kept. */
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;

/** Encodes an acknowledgement as it is signed: canonical JSON, the payload of a DSSE envelope. */
export function encodeAcknowledgement(acknowledgement: Acknowledgement): Uint8Array<ArrayBuffer> {
  return encodeCanonicalJson(acknowledgement);
}

/** Parses the payload of an envelope that was verified. @throws BackupError ACKNOWLEDGEMENT_MALFORMED */
export function parseAcknowledgement(payload: Uint8Array): Acknowledgement {
  let value: unknown;
  try {
    value = parseJson(payload, { maxBytes: MAX_ACKNOWLEDGEMENT_BYTES, maxDepth: 2 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new BackupError('ACKNOWLEDGEMENT_MALFORMED', 'not strict JSON', {}, error);
  }
  const parsed = acknowledgementSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new BackupError('ACKNOWLEDGEMENT_MALFORMED', 'not the members of an acknowledgement');
}
