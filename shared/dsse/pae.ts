const utf8 = new TextEncoder();

/**
 * Encodes the bytes that are signed for an envelope: the pre-authentication encoding of DSSE 1.0.2, which no other
 * pair of type and payload has. Pure, so that browsers can use it.
 */
export function encodePae(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8.encode(payloadType);
  const head = utf8.encode(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `);
  const encoded = new Uint8Array(head.length + payload.length);
  encoded.set(head);
  encoded.set(payload, head.length);
  return encoded;
}

/**
 * Names what a signature is over where it is over the SHA-384 of the payload: the type of the payload, and this behind it.
 * No document has such a type, so that nobody takes one signature for the other.
 */
const DIGEST_TYPE_SUFFIX = ';digest=sha384';

/**
 * Encodes the bytes that are signed in place of an envelope's own where a signer takes only short messages, such as a key
 * in KMS (4,096 bytes).
 *
 * @param digest SHA-384 of the payload
 */
export function encodeDigestPae(payloadType: string, digest: Uint8Array): Uint8Array {
  return encodePae(`${payloadType}${DIGEST_TYPE_SUFFIX}`, digest);
}
