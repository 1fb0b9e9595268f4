import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { keyInfoSchema } from '../api/bodies.ts';
import { createEnvelope, parseEnvelope, signEnvelope, verifyEnvelope } from '../dsse/index.ts';
import { parseJson } from '../json/index.ts';
import { ColdError } from './errors.ts';
import { hexOf, manifestDigest } from './fields.ts';

/** DSSE payload type of a cold node's identity. */
export const COLD_IDENTITY_PAYLOAD_TYPE = 'application/vnd.holdfast.cold-identity+json';
const MAX_IDENTITY_BYTES = 256 * 1024;

/**
 * What a cold node is known by. Nothing attests it: those who stand at the machine when it is made compare its
 * fingerprint with that of the file that they take away.
 */
export const coldIdentitySchema = z.strictObject({
  format: z.literal('holdfast-cold-identity/1'),
  manifest: manifestDigest,
  /** Ed25519 public key that signs receipts, responses and this document. */
  receiptKey: hexOf(32),
  /** Origin of the log, and its key as a vkey of C2SP signed-note. */
  log: z.strictObject({ origin: z.string().max(256), key: z.string().max(384) }),
  /** Keys of the configuration with which the document was made. */
  keys: z.array(keyInfoSchema).max(1024),
  configuration: z.int().min(1),
});
export type ColdIdentity = z.infer<typeof coldIdentitySchema>;

/** Makes the envelope of an identity, signed by the receipt key that it names. */
export function createColdIdentity(identity: ColdIdentity, receiptKey: KeyObject): Uint8Array<ArrayBuffer> {
  const unsigned = createEnvelope(COLD_IDENTITY_PAYLOAD_TYPE, Buffer.from(JSON.stringify(identity)));
  return new Uint8Array(Buffer.from(JSON.stringify(signEnvelope(unsigned, receiptKey))));
}

/**
 * Opens an identity, and verifies that it has signed itself: it is whole, and nothing else is shown. Whether it is that
 * of the node is for its fingerprint.
 *
 * @throws ColdError COLD_IDENTITY_MALFORMED
 */
export function openColdIdentity(bytes: Uint8Array): ColdIdentity {
  try {
    if (bytes.length > MAX_IDENTITY_BYTES) throw new RangeError('longer than an identity may be');
    const envelope = parseEnvelope(bytes);
    const limits = { maxBytes: MAX_IDENTITY_BYTES, maxDepth: 6 };
    const identity = coldIdentitySchema.parse(parseJson(Buffer.from(envelope.payload, 'base64'), limits));
    const { receiptKey } = identity;
    verifyEnvelope(envelope, { payloadType: COLD_IDENTITY_PAYLOAD_TYPE, keys: [receiptKey], threshold: 1 });
    return identity;
  } catch (error) {
    throw new ColdError('COLD_IDENTITY_MALFORMED', "expected a cold node's identity", {}, error);
  }
}
