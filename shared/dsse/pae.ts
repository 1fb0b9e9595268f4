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
