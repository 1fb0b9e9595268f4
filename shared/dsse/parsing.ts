import * as z from 'zod';
import { decodeBase64 } from '../base64.ts';
import { HoldfastError } from '../errors.ts';
import { parseJson } from '../json/index.ts';

/** Largest envelope, in bytes. */
export const MAX_ENVELOPE_BYTES = 1024 * 1024;
const MAX_SIGNATURES = 64;

export type DsseErrorCode =
  /** Not a DSSE envelope of the payload type asked for. */
  | 'DSSE_MALFORMED'
  /** Fewer valid signatures of different keys than the threshold. */
  | 'DSSE_UNDER_SIGNED';

export class DsseError extends HoldfastError<DsseErrorCode> {}

/** Schema of base64 in its one canonical form: the unused bits of the last character are zero (RFC 4648, 3.5). */
const base64 = (maximum: number) =>
  z
    .base64()
    .max(maximum)
    .refine((text) => decodeBase64(text) !== undefined);

const envelopeSchema = z.strictObject({
  payloadType: z.string().max(256),
  payload: base64(MAX_ENVELOPE_BYTES),
  signatures: z
    .array(z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), sig: base64(128) }))
    .max(MAX_SIGNATURES),
});

/** A DSSE envelope, https://github.com/secure-systems-lab/dsse: `keyid` is the raw Ed25519 public key in hex. */
export type Envelope = z.infer<typeof envelopeSchema>;

/** Parses an envelope without verifying it. @throws DsseError DSSE_MALFORMED */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_ENVELOPE_BYTES, maxDepth: 4 });
  } catch (error) {
    throw new DsseError('DSSE_MALFORMED', 'the envelope is not strict JSON', {}, error);
  }
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DsseError('DSSE_MALFORMED', 'the envelope does not match the schema of DSSE', {
      field: issue?.path.join('.'),
    });
  }
  return parsed.data;
}
