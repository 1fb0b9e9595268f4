/** First byte of a packet. */
const KIND = Object.freeze({ stream: 0, fragment: 1, lastFragment: 2, close: 3 });
/** Bytes of a number that is not a bitmap: counts of 2^48 last as long as any session. */
const NUMBER_BYTES = 6;
const ACKNOWLEDGED_BYTES = 1 + 3 * NUMBER_BYTES + 4;
const FRAGMENT_HEADER_BYTES = ACKNOWLEDGED_BYTES + NUMBER_BYTES;
const MAX_CODE_BYTES = 64;
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/** A piece of a message. */
export interface Fragment {
  /** Place of the packet in the sender's stream, from 0. */
  readonly sequence: number;
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
}

/** What a datagram of a session says, beside that its sender lives. */
export interface StreamPacket {
  readonly kind: 'stream';
  /** Number of the sender's stream; a greater one than before begins anew. */
  readonly stream: number;
  /** Number of the receiver's stream that is acknowledged, 0 where none has come. */
  readonly acknowledgedStream: number;
  /** All fragments below have come. */
  readonly acknowledged: number;
  /** Bit i is set where the fragment `acknowledged` + 1 + i has come. */
  readonly bitmap: number;
  readonly fragment: Fragment | undefined;
}

export type Packet = StreamPacket | { readonly kind: 'close'; readonly code: string };

/** Encodes why a session ends. */
export function encodeClose(code: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(KIND.close), Buffer.from(code, 'latin1')]);
}

export function encodeStreamPacket(packet: StreamPacket): Uint8Array {
  const { fragment } = packet;
  const header = Buffer.alloc(fragment === undefined ? ACKNOWLEDGED_BYTES : FRAGMENT_HEADER_BYTES);
  header[0] = fragment === undefined ? KIND.stream : fragment.isLast ? KIND.lastFragment : KIND.fragment;
  let offset = header.writeUIntBE(packet.stream, 1, NUMBER_BYTES);
  offset = header.writeUIntBE(packet.acknowledgedStream, offset, NUMBER_BYTES);
  offset = header.writeUIntBE(packet.acknowledged, offset, NUMBER_BYTES);
  offset = header.writeUInt32BE(packet.bitmap, offset);
  if (fragment === undefined) return header;
  header.writeUIntBE(fragment.sequence, offset, NUMBER_BYTES);
  return Buffer.concat([header, fragment.bytes]);
}

/** Decodes a packet of an authentic node; undefined for one that is none. */
export function decodePacket(bytes: Uint8Array): Packet | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = buffer[0];
  if (kind === KIND.close) {
    const code = buffer.toString('latin1', 1, 2 + MAX_CODE_BYTES);
    return CODE.test(code) ? { kind: 'close', code } : undefined;
  }
  const hasFragment = kind === KIND.fragment || kind === KIND.lastFragment;
  if (!hasFragment && kind !== KIND.stream) return undefined;
  if (hasFragment ? buffer.length < FRAGMENT_HEADER_BYTES : buffer.length !== ACKNOWLEDGED_BYTES)
    return undefined;
  const numberAt = (index: number) => buffer.readUIntBE(1 + index * NUMBER_BYTES, NUMBER_BYTES);
  return {
    kind: 'stream',
    stream: numberAt(0),
    acknowledgedStream: numberAt(1),
    acknowledged: numberAt(2),
    bitmap: buffer.readUInt32BE(1 + 3 * NUMBER_BYTES),
    fragment: hasFragment
      ? {
          sequence: buffer.readUIntBE(ACKNOWLEDGED_BYTES, NUMBER_BYTES),
          isLast: kind === KIND.lastFragment,
          bytes: bytes.subarray(FRAGMENT_HEADER_BYTES),
        }
      : undefined,
  };
}
