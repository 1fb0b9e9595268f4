/** First byte of a message. */
const TYPE = Object.freeze({ call: 1, answer: 2, error: 3 });
const ID_BYTES = 6;
const HEADER_BYTES = 1 + ID_BYTES;
const KIND = /^[a-z0-9][a-z0-9./-]{0,63}$/;
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/** A message between two nodes. */
export type Message =
  | { readonly type: 'call'; readonly id: number; readonly kind: string; readonly body: Uint8Array }
  | { readonly type: 'answer'; readonly id: number; readonly body: Uint8Array }
  | { readonly type: 'error'; readonly id: number; readonly code: string };

/** Whether a kind of calls can be written: lower-case letters, digits, and `.`, `/`, `-` within. */
export function isKind(kind: string): boolean {
  return KIND.test(kind);
}

export function encodeMessage(message: Message): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = TYPE[message.type];
  header.writeUIntBE(message.id, 1, ID_BYTES);
  if (message.type === 'error') return Buffer.concat([header, Buffer.from(message.code, 'latin1')]);
  if (message.type === 'answer') return Buffer.concat([header, message.body]);
  const kind = Buffer.from(message.kind, 'latin1');
  return Buffer.concat([header, Uint8Array.of(kind.length), kind, message.body]);
}

/** Decodes a message of an authentic node; undefined for one that is none. */
export function decodeMessage(bytes: Uint8Array): Message | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = buffer.readUIntBE(1, ID_BYTES);
  const rest = buffer.subarray(HEADER_BYTES);
  switch (buffer.readUInt8(0)) {
    case TYPE.call: {
      const end = 1 + (rest[0] ?? 0);
      const kind = rest.toString('latin1', 1, end);
      if (end > rest.length || !isKind(kind)) return undefined;
      return { type: 'call', id, kind, body: new Uint8Array(rest.subarray(end)) };
    }
    case TYPE.answer:
      return { type: 'answer', id, body: new Uint8Array(rest) };
    case TYPE.error: {
      const code = rest.toString('latin1');
      return CODE.test(code) ? { type: 'error', id, code } : undefined;
    }
    default:
      return undefined;
  }
}
