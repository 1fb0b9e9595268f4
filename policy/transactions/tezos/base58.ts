import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { isEqual } from './bytes.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const CHECKSUM_BYTES = 4;
/** Digits of Base58, and bytes, that are converted at once. */
const LIMB_DIGITS = 5;
const LIMB_BYTES = 3;
/** Bytes, and digits of Base58, that are taken at once: with a limb they have less than 53 bits. */
const JOINED_BYTES = 2;
const JOINED_DIGITS = 4;
/** Longest text that is read: a signature of BLS12-381 has 142 characters. */
const MAX_TEXT = 142;

/** Prefixes of Octez (`src/lib_crypto/base58.ml`), each with the bytes that follow it. */
const PREFIXES = {
  tz1: { bytes: [6, 161, 159], length: 20 },
  tz2: { bytes: [6, 161, 161], length: 20 },
  tz3: { bytes: [6, 161, 164], length: 20 },
  tz4: { bytes: [6, 161, 166], length: 20 },
  KT1: { bytes: [2, 90, 121], length: 20 },
  sr1: { bytes: [6, 124, 117], length: 20 },
  edpk: { bytes: [13, 15, 37, 217], length: 32 },
  sppk: { bytes: [3, 254, 226, 86], length: 33 },
  p2pk: { bytes: [3, 178, 139, 127], length: 33 },
  BLpk: { bytes: [6, 149, 135, 204], length: 48 },
  block: { bytes: [1, 52], length: 32 },
  protocol: { bytes: [2, 170], length: 32 },
  payload: { bytes: [1, 106, 242], length: 32 },
  chain: { bytes: [87, 82, 0], length: 4 },
  edsig: { bytes: [9, 245, 205, 134, 18], length: 64 },
  spsig1: { bytes: [13, 115, 101, 19, 63], length: 64 },
  p2sig: { bytes: [54, 240, 44, 52], length: 64 },
  BLsig: { bytes: [40, 171, 64, 207], length: 96 },
  sig: { bytes: [4, 130, 43], length: 64 },
} as const;
export type Prefix = keyof typeof PREFIXES;

const checksum = (bytes: Uint8Array) => sha256(sha256(bytes)).subarray(0, CHECKSUM_BYTES);

/** Writes a big-endian number, given by its digits in one base, by its digits in another, without zeros in front. */
function convert(digits: Iterable<number>, from: number, to: number): number[] {
  const converted: number[] = [];
  for (const digit of digits) {
    let carry = digit;
    for (let at = 0; at < converted.length; at += 1) {
      carry += (converted[at] ?? 0) * from;
      converted[at] = carry % to;
      carry = Math.floor(carry / to);
    }
    for (; carry > 0; carry = Math.floor(carry / to)) converted.push(carry % to);
  }
  return converted.reverse();
}

/** Joins the digits of a number, most significant first, to fewer digits of `base ** size`. */
function join(digits: ArrayLike<number>, base: number, size: number): number[] {
  const joined: number[] = [];
  let value = 0;
  for (let at = 0; at < digits.length; at += 1) {
    value = value * base + (digits[at] ?? 0);
    if ((digits.length - at - 1) % size > 0) continue;
    joined.push(value);
    value = 0;
  }
  return joined;
}

function printLimb(limb: number): string {
  let text = '';
  // A limb has 30 bits.
  for (let rest = limb; text.length < LIMB_DIGITS; rest = (rest / 58) | 0)
    text = (ALPHABET[rest % 58] ?? '') + text;
  return text;
}

/** Writes a value in Base58Check under one of Tezos's prefixes, none of which begins with a zero byte. */
export function encodeBase58(prefix: Prefix, value: Uint8Array): string {
  const body = concatBytes(Uint8Array.from(PREFIXES[prefix].bytes), value);
  const digits = join(concatBytes(body, checksum(body)), 256, JOINED_BYTES);
  const limbs = convert(digits, 256 ** JOINED_BYTES, 58 ** LIMB_DIGITS);
  return limbs.map(printLimb).join('').replace(/^1+/, '');
}

/** Reads a value in Base58Check under one of some prefixes; undefined for any other text. */
export function decodeBase58<P extends Prefix>(
  text: string,
  prefixes: readonly P[],
): { readonly prefix: P; readonly value: Uint8Array } | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const digits = Array.from(text, (character) => ALPHABET.indexOf(character));
  if (digits.includes(-1)) return undefined;
  const limbs = convert(join(digits, 58, JOINED_DIGITS), 58 ** JOINED_DIGITS, 256 ** LIMB_BYTES);
  const padded = Uint8Array.from(limbs.flatMap((limb) => [limb >> 16, (limb >> 8) & 0xff, limb & 0xff]));
  const bytes = padded.subarray(
    Math.max(
      0,
      padded.findIndex((byte) => byte !== 0),
    ),
  );
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  if (!isEqual(checksum(body), bytes.subarray(body.length))) return undefined;
  for (const prefix of prefixes) {
    const { bytes: start, length } = PREFIXES[prefix];
    if (body.length !== start.length + length) continue;
    const value = body.subarray(start.length);
    // A text with ones in front has the same bytes: only the one that is written is read.
    if (start.every((byte, index) => byte === body[index]) && encodeBase58(prefix, value) === text) {
      return { prefix, value };
    }
  }
  return undefined;
}
