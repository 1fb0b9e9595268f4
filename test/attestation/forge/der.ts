import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';

/** An element in DER; the tag may be any octet, and the content anything. */
export function der(tag: number, ...contents: Uint8Array[]): Uint8Array {
  const content = concatBytes(...contents);
  return concatBytes(Uint8Array.of(tag), derLength(content.length), content);
}

function derLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  return length < 0x100 ? Uint8Array.of(0x81, length) : Uint8Array.of(0x82, length >> 8, length & 0xff);
}

export const sequence = (...contents: Uint8Array[]): Uint8Array => der(0x30, ...contents);
export const set = (...contents: Uint8Array[]): Uint8Array => der(0x31, ...contents);
export const octetString = (content: Uint8Array): Uint8Array => der(0x04, content);
export const bitString = (unusedBits: number, octets: Uint8Array): Uint8Array =>
  der(0x03, Uint8Array.of(unusedBits), octets);
export const boolean = (octet: number): Uint8Array => der(0x01, Uint8Array.of(octet));
export const text = (tag: number, value: string): Uint8Array => der(tag, new TextEncoder().encode(value));

/** An OBJECT IDENTIFIER from the hex of its octets. */
export const oid = (hex: string): Uint8Array => der(0x06, hexToBytes(hex));

/** A non-negative INTEGER from its magnitude. */
export function unsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start += 1;
  const octets = magnitude.subarray(start);
  return der(0x02, (octets[0] ?? 0) > 0x7f ? concatBytes(Uint8Array.of(0), octets) : octets);
}

/** A UTCTime, or from 2050 a GeneralizedTime. */
export function time(milliseconds: number): Uint8Array {
  const digits = new Date(milliseconds).toISOString().replace(/\.\d+|[-:T]/g, '');
  return digits < '2050' ? text(0x17, digits.slice(2)) : text(0x18, digits);
}
