import { randomBytes, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { signRequestSchema } from '../api/bodies.ts';
import { acknowledgementRequestSchema, backupRequestSchema } from '../api/recovery.ts';
import { requestIdSchema, voteRequestSchema } from '../api/requests.ts';
import { createEnvelope, DsseError, parseEnvelope, signEnvelope, verifyEnvelope } from '../dsse/index.ts';
import { parseJson } from '../json/index.ts';
import { ColdError } from './errors.ts';
import { checkpointText, identifier, manifestDigest, time } from './fields.ts';

/** DSSE payload type of a request to a cold node. */
export const COLD_REQUEST_PAYLOAD_TYPE = 'application/vnd.holdfast.cold-request+json';
/** Longest envelope of a request, in bytes: the longest payload of a signing request, twice in base64. */
export const MAX_COLD_REQUEST_BYTES = 512 * 1024;
const MAX_DEPTH = 12;
/** The most votes that come with one request. */
const MAX_VOTES = 64;
/** The longest time that a request is good for: people carry it by hand. */
export const MAX_REQUEST_AGE_MS = 30 * 24 * 3_600_000;

/**
 * A request to a cold node: the body of `POST /v1/sign`, the votes on a request that waits, a backup of a key, or a keeper's
 * word that one is kept; SPEC.md.
 */
export const coldRequestSchema = z
  .strictObject({
    format: z.literal('holdfast-cold-request/1'),
    manifest: manifestDigest,
    /** 16 random bytes: the node decides no id twice. */
    id: requestIdSchema,
    client: identifier,
    created: time,
    /** The node decides nothing afterwards; at most 30 days after `created`. */
    notAfter: time,
    /** The newest checkpoint of the node's log that the client knows; null before the first. */
    checkpoint: checkpointText.nullable(),
    ask: z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('sign'), request: signRequestSchema }),
      z.strictObject({ type: z.literal('backup'), ...backupRequestSchema.omit({ after: true }).shape }),
      z.strictObject({ type: z.literal('acknowledge'), ...acknowledgementRequestSchema.shape }),
      z.strictObject({
        type: z.literal('resume'),
        /** Id of the request that waits, which the node has made. */
        waiting: requestIdSchema,
        votes: z.array(voteRequestSchema).max(MAX_VOTES),
      }),
    ]),
  })
  .refine(({ created, notAfter }) => notAfter > created && notAfter - created <= MAX_REQUEST_AGE_MS, {
    path: ['notAfter'],
    error: 'not between `created` and 30 days later',
  });
export type ColdRequest = z.infer<typeof coldRequestSchema>;

/** A request as it came, whose signature nobody has verified yet. */
export interface UnverifiedColdRequest {
  readonly request: ColdRequest;
  /** Bytes of the envelope. */
  readonly envelope: Uint8Array;
}

/** Makes the envelope of a request, signed by its client's Ed25519 key. Draws the id. */
export function createColdRequest(
  request: Omit<ColdRequest, 'format' | 'id'>,
  privateKey: KeyObject,
): Uint8Array<ArrayBuffer> {
  const id = randomBytes(16).toString('hex');
  const whole = coldRequestSchema.parse({ format: 'holdfast-cold-request/1', id, ...request });
  const unsigned = createEnvelope(COLD_REQUEST_PAYLOAD_TYPE, Buffer.from(JSON.stringify(whole)));
  return new Uint8Array(Buffer.from(JSON.stringify(signEnvelope(unsigned, privateKey))));
}

/**
 * Parses a request; {@link verifyColdRequest} says whether a client has signed it.
 *
 * @throws ColdError COLD_REQUEST_MALFORMED
 */
export function unsafeParseColdRequest(envelope: Uint8Array): UnverifiedColdRequest {
  try {
    if (envelope.length > MAX_COLD_REQUEST_BYTES) throw new RangeError('longer than a request may be');
    const { payload } = parseEnvelope(envelope);
    const value = parseJson(Buffer.from(payload, 'base64'), {
      maxBytes: MAX_COLD_REQUEST_BYTES,
      maxDepth: MAX_DEPTH,
    });
    return { request: coldRequestSchema.parse(value), envelope };
  } catch (error) {
    throw new ColdError('COLD_REQUEST_MALFORMED', 'expected a request to a cold node', {}, error);
  }
}

/**
 * Verifies that a client has signed a request.
 *
 * @param publicKey of the client that the request names, 32 bytes in hex; undefined where the configuration names none
 * @throws ColdError COLD_REQUEST_UNSIGNED
 */
export function verifyColdRequest(
  { request, envelope }: UnverifiedColdRequest,
  publicKey: string | undefined,
): ColdRequest {
  try {
    if (publicKey === undefined) throw new RangeError('the configuration names no such client');
    verifyEnvelope(parseEnvelope(envelope), {
      payloadType: COLD_REQUEST_PAYLOAD_TYPE,
      keys: [publicKey],
      threshold: 1,
    });
    return request;
  } catch (error) {
    if (!(error instanceof DsseError || error instanceof RangeError)) throw error;
    const { client } = request;
    throw new ColdError(
      'COLD_REQUEST_UNSIGNED',
      'the request is not signed by its client',
      { client },
      error,
    );
  }
}
