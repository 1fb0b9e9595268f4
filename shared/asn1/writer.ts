/** The part of X.690 that certificates and CMS need, for writing. */

const SEQUENCE = 0x30;
const SET = 0x31;
const END_OF_CONTENTS = Uint8Array.of(0, 0);

/** Encodes a tag with a definite length around its contents. */
export function encodeTlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), encodeLength(content.length), content]);
}

/** Encodes BER: a constructed tag with an indefinite length (X.690, 8.1.3.6). */
export function encodeIndefinite(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(tag, 0x80), ...contents, END_OF_CONTENTS]);
}

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes]);
}

export const encodeSequence = (...items: readonly Uint8Array[]): Uint8Array => encodeTlv(SEQUENCE, ...items);
export const encodeSet = (...items: readonly Uint8Array[]): Uint8Array => encodeTlv(SET, ...items);
export const encodeOctetString = (bytes: Uint8Array): Uint8Array => encodeTlv(0x04, bytes);
/** Encodes a BIT STRING, the last `unused` bits of which do not count. */
export const encodeBitString = (bytes: Uint8Array, unused = 0): Uint8Array =>
  encodeTlv(0x03, Uint8Array.of(unused), bytes);
export const encodeUtf8String = (text: string): Uint8Array => encodeTlv(0x0c, Buffer.from(text, 'utf8'));
export const encodeTrue = (): Uint8Array => encodeTlv(0x01, Uint8Array.of(0xff));
export const encodeNull = (): Uint8Array => encodeTlv(0x05);
/** Encodes an explicit tag `[index]` around whole elements. */
export const encodeExplicit = (index: number, ...items: readonly Uint8Array[]): Uint8Array =>
  encodeTlv(0xa0 | index, ...items);

/** Encodes an INTEGER from unsigned big-endian bytes. */
export function encodeInteger(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const minimal = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  const signed = (minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), minimal]) : minimal;
  return encodeTlv(0x02, signed);
}

/** Encodes an OBJECT IDENTIFIER from its dotted form. */
export function encodeOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return encodeTlv(0x06, Uint8Array.from(bytes));
}

/** Encodes a GeneralizedTime from 2050 on, a UTCTime before (RFC 5280, 4.1.2.5). */
export function encodeTime(date: Date): Uint8Array {
  const digits = date
    .toISOString()
    .replace(/[-:T]|\.[0-9]+/g, '')
    .replace('Z', '');
  return date.getUTCFullYear() < 2050
    ? encodeTlv(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : encodeTlv(0x18, Buffer.from(`${digits}Z`));
}
