import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** CBOR in parts, so that any part can be wrong. Each function gives the bytes of one item. */
export function head(major: number, argument: number): Uint8Array {
  const top = major << 5;
  if (argument < 24) return Uint8Array.of(top | argument);
  if (argument < 0x100) return Uint8Array.of(top | 24, argument);
  if (argument < 0x10000) return Uint8Array.of(top | 25, argument >> 8, argument & 0xff);
  const isShort = argument < 0x1_0000_0000;
  const bytes = new Uint8Array(isShort ? 5 : 9);
  const view = new DataView(bytes.buffer);
  bytes[0] = top | (isShort ? 26 : 27);
  if (isShort) view.setUint32(1, argument);
  else view.setBigUint64(1, BigInt(argument));
  return bytes;
}

export const integer = (value: number): Uint8Array => (value < 0 ? head(1, -1 - value) : head(0, value));
export const bytes = (value: Uint8Array): Uint8Array => concatBytes(head(2, value.length), value);
export const array = (items: readonly Uint8Array[]): Uint8Array =>
  concatBytes(head(4, items.length), ...items);
export const NULL = Uint8Array.of(0xf6);

export function text(value: string): Uint8Array {
  const encoded = utf8ToBytes(value);
  return concatBytes(head(3, encoded.length), encoded);
}

export type Entry = readonly [key: Uint8Array, value: Uint8Array];

export const map = (entries: readonly Entry[]): Uint8Array =>
  concatBytes(head(5, entries.length), ...entries.flat());

export const indefiniteMap = (entries: readonly Entry[]): Uint8Array =>
  concatBytes(Uint8Array.of(0xbf), ...entries.flat(), Uint8Array.of(0xff));
