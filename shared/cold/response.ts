import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { signResponseSchema, waitingResponseSchema } from '../api/bodies.ts';
import { acknowledgementResponseSchema, backupResponseSchema } from '../api/recovery.ts';
import { requestIdSchema } from '../api/requests.ts';
import {
  createEnvelope,
  DsseError,
  MAX_ENVELOPE_BYTES,
  parseEnvelope,
  signEnvelope,
  verifyEnvelope,
} from '../dsse/index.ts';
import { parseJson } from '../json/index.ts';
import { ColdError } from './errors.ts';
import { checkpointText, hexOf, manifestDigest, time } from './fields.ts';

/** DSSE payload type of a response of a cold node. */
export const COLD_RESPONSE_PAYLOAD_TYPE = 'application/vnd.holdfast.cold-response+json';
/** Longest envelope of a response, in bytes. */
export const MAX_COLD_RESPONSE_BYTES = MAX_ENVELOPE_BYTES;
const MAX_DEPTH = 16;
/** Longest review in base64: two thirds of a response. */
const MAX_REVIEW_TEXT = 512 * 1024;

const code = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/);

/** What has become of a request. */
const outcomeSchema = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('signed'), ...signResponseSchema.shape }),
  z.strictObject({
    state: z.literal('waiting'),
    ...waitingResponseSchema.shape,
    /** What approvers read: DSSE of a pending request, as shared/api/requests.ts has it, in base64. */
    review: z.base64().max(MAX_REVIEW_TEXT),
  }),
  z.strictObject({
    state: z.literal('backed-up'),
    ...backupResponseSchema.omit({ document: true }).shape,
    /** DSSE envelope over the statement's digest, in base64: what the node has in place of an attestation document. */
    signed: z.base64().max(4096),
  }),
  z.strictObject({ state: z.literal('acknowledged'), ...acknowledgementResponseSchema.shape }),
  z.strictObject({
    state: z.literal('refused'),
    code,
    message: z.string().max(1024),
    /** Absent where nothing was recorded. */
    receipt: z.unknown().optional(),
    /** Codes of votes that did not count, by the order in which they came; null for one that did. */
    votes: z.array(code.nullable()).max(64).optional(),
  }),
]);
export type ColdOutcome = z.infer<typeof outcomeSchema>;

export const coldResponseSchema = z.strictObject({
  format: z.literal('holdfast-cold-response/1'),
  manifest: manifestDigest,
  /** Id of the request, and SHA-256 of its envelope in hex. */
  request: z.strictObject({ id: requestIdSchema, digest: hexOf(32) }),
  /** By the clock of the cold machine. */
  time,
  outcome: outcomeSchema,
  /** The newest checkpoint of the node's log: the next request shows it to the node. */
  checkpoint: checkpointText,
});
export type ColdResponse = z.infer<typeof coldResponseSchema>;

/** Makes the envelope of a response, signed by the node's receipt key. */
export function createColdResponse(response: ColdResponse, receiptKey: KeyObject): Uint8Array<ArrayBuffer> {
  const unsigned = createEnvelope(COLD_RESPONSE_PAYLOAD_TYPE, Buffer.from(JSON.stringify(response)));
  return new Uint8Array(Buffer.from(JSON.stringify(signEnvelope(unsigned, receiptKey))));
}

/**
 * Opens a response: the node of an identity has signed it.
 *
 * @param receiptKey 32 bytes in hex, of the node's identity
 * @throws ColdError COLD_RESPONSE_MALFORMED, COLD_RESPONSE_UNSIGNED
 */
export function openColdResponse(bytes: Uint8Array, receiptKey: string): ColdResponse {
  const limits = { maxBytes: MAX_COLD_RESPONSE_BYTES, maxDepth: MAX_DEPTH };
  let payload: Uint8Array;
  try {
    if (bytes.length > MAX_COLD_RESPONSE_BYTES) throw new RangeError('longer than a response may be');
    const expected = { payloadType: COLD_RESPONSE_PAYLOAD_TYPE, keys: [receiptKey], threshold: 1 };
    ({ payload } = verifyEnvelope(parseEnvelope(bytes), expected));
  } catch (error) {
    const isUnsigned = error instanceof DsseError && error.code === 'DSSE_UNDER_SIGNED';
    if (isUnsigned)
      throw new ColdError('COLD_RESPONSE_UNSIGNED', 'the response is not signed by the node', {}, error);
    throw new ColdError('COLD_RESPONSE_MALFORMED', 'expected a response of a cold node', {}, error);
  }
  try {
    return coldResponseSchema.parse(parseJson(payload, limits));
  } catch (error) {
    throw new ColdError('COLD_RESPONSE_MALFORMED', 'expected a response of a cold node', {}, error);
  }
}
