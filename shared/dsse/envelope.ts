import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { encodeDigestPae, encodePae } from './pae.ts';
import { DsseError, type Envelope } from './parsing.ts';

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
 * @param expected with `digests`, a signature over the payload's SHA-384 is as good (`encodeDigestPae`)
 * @throws DsseError DSSE_MALFORMED, DSSE_UNDER_SIGNED
 */
export function verifyEnvelope(
  envelope: Envelope,
  expected: { payloadType: string; keys: readonly string[]; threshold: number; digests?: boolean },
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
  const messages = [encodePae(envelope.payloadType, payload)];
  if (expected.digests === true)
    messages.push(encodeDigestPae(envelope.payloadType, createHash('sha384').update(payload).digest()));
  const signers = new Set<string>();
  for (const { keyid, sig } of envelope.signatures) {
    if (signers.has(keyid) || !expected.keys.includes(keyid)) continue;
    const key = importEd25519(keyid);
    if (messages.some((message) => verify(null, message, key, Buffer.from(sig, 'base64'))))
      signers.add(keyid);
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
