import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { HoldfastError } from '../errors.ts';
import { parseJson } from '../json/index.ts';
import { encodePae } from './pae.ts';

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
    .refine((text) => Buffer.from(text, 'base64').toString('base64') === text);

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

/** Creates an envelope without a signature. */
export function createEnvelope(payloadType: string, payload: Uint8Array): Envelope {
  return { payloadType, payload: Buffer.from(payload).toString('base64'), signatures: [] };
}

/** Adds the signature of one Ed25519 key, or replaces it. */
export function signEnvelope(envelope: Envelope, privateKey: KeyObject): Envelope {
  const keyid = ed25519PublicKeyHex(createPublicKey(privateKey));
  const payload = Buffer.from(envelope.payload, 'base64');
  const sig = sign(null, encodePae(envelope.payloadType, payload), privateKey).toString('base64');
  return {
    ...envelope,
    signatures: [...envelope.signatures.filter((known) => known.keyid !== keyid), { keyid, sig }],
  };
}

/**
 * Verifies that at least `threshold` different ones of `keys` (raw Ed25519 public keys, hex) have signed an envelope,
 * and returns its payload. A key counts once, however often it has signed; signatures of other keys count nothing.
 *
 * @throws DsseError DSSE_MALFORMED, DSSE_UNDER_SIGNED
 */
export function verifyEnvelope(
  envelope: Envelope,
  expected: { payloadType: string; keys: readonly string[]; threshold: number },
): { payload: Uint8Array; signers: readonly string[] } {
  if (expected.threshold < 1 || expected.keys.length === 0)
    throw new RangeError('a threshold of at least one key');
  if (envelope.payloadType !== expected.payloadType) {
    throw new DsseError(
      'DSSE_MALFORMED',
      `expected the payload type ${expected.payloadType}, found another`,
      {
        expected: expected.payloadType,
      },
    );
  }
  const payload = new Uint8Array(Buffer.from(envelope.payload, 'base64'));
  const message = encodePae(envelope.payloadType, payload);
  const signers = new Set<string>();
  for (const { keyid, sig } of envelope.signatures) {
    if (signers.has(keyid) || !expected.keys.includes(keyid)) continue;
    if (verify(null, message, importEd25519(keyid), Buffer.from(sig, 'base64'))) signers.add(keyid);
  }
  if (signers.size < expected.threshold) {
    throw new DsseError('DSSE_UNDER_SIGNED', 'too few of the authorities have signed', {
      expected: expected.threshold,
      actual: signers.size,
    });
  }
  return { payload, signers: [...signers] };
}

/** Imports a raw Ed25519 public key from hex. */
export function importEd25519(publicKeyHex: string): KeyObject {
  const x = Buffer.from(publicKeyHex, 'hex').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** Exports the raw bytes of an Ed25519 public key as hex. */
export function ed25519PublicKeyHex(key: KeyObject): string {
  const { x } = key.export({ format: 'jwk' });
  if (key.asymmetricKeyType !== 'ed25519' || x === undefined) throw new TypeError('not an Ed25519 key');
  return Buffer.from(x, 'base64url').toString('hex');
}
