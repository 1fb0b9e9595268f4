import { ed25519 } from '@noble/curves/ed25519.js';
import { sha384 } from '@noble/hashes/sha2.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { decodeBase64 } from '../base64.ts';
import { encodeDigestPae, encodePae } from './pae.ts';
import { DsseError, parseEnvelope } from './parsing.ts';

/**
 * Parses an envelope and verifies that at least `threshold` different ones of `keys` (raw Ed25519 public keys, hex) have
 * signed it: in browsers too, where `verifyEnvelope` has no node:crypto.
 *
 * @param expected with `digests`, a signature over the payload's SHA-384 is as good (`encodeDigestPae`)
 * @returns the payload
 * @throws DsseError DSSE_MALFORMED, DSSE_UNDER_SIGNED
 */
export function openEnvelope(
  bytes: Uint8Array,
  expected: { payloadType: string; keys: readonly string[]; threshold: number; digests?: boolean },
): Uint8Array<ArrayBuffer> {
  if (!(expected.threshold >= 1) || expected.keys.length === 0)
    throw new RangeError('expected a threshold of at least one key');
  const envelope = parseEnvelope(bytes);
  if (envelope.payloadType !== expected.payloadType) {
    throw new DsseError('DSSE_MALFORMED', `expected the payload type ${expected.payloadType}`, {
      expected: expected.payloadType,
    });
  }
  const payload = decodeBase64(envelope.payload) ?? new Uint8Array();
  const messages = [encodePae(envelope.payloadType, payload)];
  if (expected.digests === true) messages.push(encodeDigestPae(envelope.payloadType, sha384(payload)));
  const signers = new Set<string>();
  for (const { keyid, sig } of envelope.signatures) {
    if (signers.has(keyid) || !expected.keys.includes(keyid)) continue;
    const signature = decodeBase64(sig);
    if (messages.some((message) => verifySignature(signature, message, keyid))) signers.add(keyid);
  }
  if (signers.size < expected.threshold) {
    throw new DsseError('DSSE_UNDER_SIGNED', 'too few of the keys have signed', {
      expected: expected.threshold,
      actual: signers.size,
    });
  }
  return payload;
}

function verifySignature(signature: Uint8Array | undefined, message: Uint8Array, publicKey: string): boolean {
  try {
    return (
      signature?.length === 64 && ed25519.verify(signature, message, hexToBytes(publicKey), { zip215: false })
    );
  } catch {
    // Thrown for a public key that is no point.
    return false;
  }
}
