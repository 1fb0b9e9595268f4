/** First byte of a datagram. */
const KIND = Object.freeze({ knock: 1, first: 2, second: 3, third: 4, sealed: 5 });
/** Length of what names a handshake and the session that it ends in, in bytes. */
export const ID_BYTES = 8;
const COUNTER_BYTES = 8;
/** Length of what stands before a ciphertext, in bytes; the ciphertext is bound to it. */
export const SEALED_HEADER_BYTES = 1 + ID_BYTES + COUNTER_BYTES;
/** The first counter that no datagram has. */
export const COUNTER_END = 2 ** 52;

export type HandshakeStep = 'first' | 'second' | 'third';

export type Datagram =
  /** Asks a node of a lower number for a handshake. Anybody can send it. */
  | { readonly kind: 'knock' }
  /** A message of a handshake. */
  | { readonly kind: HandshakeStep; readonly id: string; readonly message: Uint8Array }
  /** A message of a session: the ciphertext is bound to `header`. */
  | {
      readonly kind: 'sealed';
      readonly id: string;
      readonly counter: number;
      readonly header: Uint8Array;
      readonly ciphertext: Uint8Array;
    };

/** Encodes a knock. */
export function encodeKnock(): Uint8Array {
  return Uint8Array.of(KIND.knock);
}

/** Encodes a message of a handshake. @param id in hex */
export function encodeHandshake(kind: HandshakeStep, id: string, message: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND[kind]), Buffer.from(id, 'hex'), message]);
}

/** Encodes what stands before a ciphertext. @param id in hex */
export function encodeSealedHeader(id: string, counter: number): Buffer {
  const header = Buffer.alloc(SEALED_HEADER_BYTES);
  header[0] = KIND.sealed;
  header.write(id, 1, 'hex');
  header.writeBigUInt64BE(BigInt(counter), 1 + ID_BYTES);
  return header;
}

/** Decodes a datagram of anybody; undefined for one that is none. */
export function decodeDatagram(bytes: Uint8Array): Datagram | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = buffer[0];
  if (kind === KIND.knock) return buffer.length === 1 ? { kind: 'knock' } : undefined;
  if (buffer.length <= 1 + ID_BYTES) return undefined;
  const id = buffer.toString('hex', 1, 1 + ID_BYTES);
  const message = bytes.subarray(1 + ID_BYTES);
  if (kind === KIND.first) return { kind: 'first', id, message };
  if (kind === KIND.second) return { kind: 'second', id, message };
  if (kind === KIND.third) return { kind: 'third', id, message };
  if (kind !== KIND.sealed || buffer.length <= SEALED_HEADER_BYTES) return undefined;
  const counter = Number(buffer.readBigUInt64BE(1 + ID_BYTES));
  if (counter >= COUNTER_END) return undefined;
  return {
    kind: 'sealed',
    id,
    counter,
    header: bytes.subarray(0, SEALED_HEADER_BYTES),
    ciphertext: bytes.subarray(SEALED_HEADER_BYTES),
  };
}
