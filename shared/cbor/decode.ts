import { CborError, type CborErrorCode } from './errors.ts';
import type { CborKey, CborValue } from './value.ts';

export interface CborLimits {
  /** The longest input, in bytes. */
  readonly maxBytes: number;
  /** The most arrays and maps open at once, from 0 (scalars alone) to {@link MAX_CBOR_DEPTH}. */
  readonly maxDepth: number;
  /** The most data items, map keys included. Default: as many as `maxBytes` could hold. */
  readonly maxItems?: number;
  /** The places where a map may be of indefinite length. Default: nowhere. Strings and arrays never are. */
  readonly indefiniteMaps?: 'refuse' | 'top-level' | 'anywhere';
  /** A tag that the outermost item may have; it is dropped. Default: no tag is taken. */
  readonly topLevelTag?: number;
}

/** The deepest nesting that a caller can ask for: the decoder recurses. */
export const MAX_CBOR_DEPTH = 64;

const UNSIGNED = 0;
const NEGATIVE = 1;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
const TAG = 6;

const BREAK = 0xff;
const INDEFINITE_MAP = 0xbf;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes one CBOR item that fills `bytes` to the end (RFC 8949), as strictly as deterministic encoding (section 4.2.1)
 * but for the order of keys: minimal integers and lengths, definite lengths (see `indefiniteMaps`), no duplicate keys,
 * no floats, no `undefined`, no tags (see `topLevelTag`), well-formed UTF-8. Nothing is allocated on the word of a
 * length that the input does not cover.
 *
 * Byte strings are **views** of `bytes`, not copies: a caller that keeps the result and gives `bytes` away copies
 * first, and clearing `bytes` clears the result.
 *
 * @throws CborError for any bytes that are refused; RangeError for limits out of range
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): CborValue {
  const reader = new Reader(bytes, limits);
  return reader.readDocument();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #maxDepth: number;
  readonly #indefiniteMaps: 'refuse' | 'top-level' | 'anywhere';
  readonly #topLevelTag: number | undefined;
  #itemsLeft: number;
  #offset = 0;
  /** The argument of the last head: a length, a count or an integer. */
  #argument: number | bigint = 0;

  constructor(bytes: Uint8Array, limits: CborLimits) {
    const { maxBytes, maxDepth, maxItems = maxBytes } = limits;
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1)
      throw new RangeError('maxBytes is a positive integer');
    if (!Number.isSafeInteger(maxDepth) || maxDepth < 0 || maxDepth > MAX_CBOR_DEPTH) {
      throw new RangeError(`maxDepth is an integer from 0 to ${MAX_CBOR_DEPTH}`);
    }
    if (!Number.isSafeInteger(maxItems) || maxItems < 1)
      throw new RangeError('maxItems is a positive integer');
    if (bytes.length > maxBytes) {
      throw new CborError('CBOR_TOO_LARGE', `CBOR of ${bytes.length} bytes, at most ${maxBytes} are taken`, {
        actual: bytes.length,
        maximum: maxBytes,
      });
    }
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#maxDepth = maxDepth;
    this.#itemsLeft = maxItems;
    this.#indefiniteMaps = limits.indefiniteMaps ?? 'refuse';
    this.#topLevelTag = limits.topLevelTag;
  }

  readDocument(): CborValue {
    if (this.#topLevelTag !== undefined && this.#peek() >> 5 === TAG) {
      const at = this.#offset;
      this.#readHead();
      if (this.#argument !== this.#topLevelTag) throw this.#error('CBOR_TAG', 'an unexpected tag', at);
    }
    const value = this.#readItem(0);
    if (this.#offset !== this.#bytes.length) {
      throw this.#error('CBOR_TRAILING_BYTES', 'bytes after the end of the item');
    }
    return value;
  }

  #readItem(depth: number): CborValue {
    const at = this.#offset;
    const initial = this.#peek();
    this.#countItem(at);
    if (initial === INDEFINITE_MAP) return this.#readIndefiniteMap(depth);
    const major = this.#readHead();
    switch (major) {
      case UNSIGNED:
        return this.#argument;
      case NEGATIVE:
        return negate(this.#argument);
      case BYTES: {
        const { start, length } = this.#takeString(at);
        // Not subarray(), which gives a Buffer where the input is one.
        return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
      }
      case TEXT:
        return this.#readText(at);
      case ARRAY:
        return this.#readArray(depth, at);
      case MAP:
        return this.#readMap(depth, at);
      case TAG:
        throw this.#error('CBOR_TAG', 'a tag', at);
      default:
        return this.#readSimple(initial, at);
    }
  }

  #readSimple(initial: number, at: number): null | boolean {
    switch (initial) {
      case 0xf4:
        return false;
      case 0xf5:
        return true;
      case 0xf6:
        return null;
      case 0xf9:
      case 0xfa:
      case 0xfb:
        throw this.#error('CBOR_FLOAT', 'a floating-point number', at);
      default:
        throw this.#error('CBOR_SIMPLE_VALUE', 'a simple value other than false, true and null', at);
    }
  }

  #readArray(depth: number, at: number): CborValue[] {
    this.#enter(depth, at);
    const count = this.#checkCount(1, at);
    const items: CborValue[] = [];
    for (let index = 0; index < count; index += 1) items.push(this.#readItem(depth + 1));
    return items;
  }

  #readMap(depth: number, at: number): Map<CborKey, CborValue> {
    this.#enter(depth, at);
    const count = this.#checkCount(2, at);
    const map = new Map<CborKey, CborValue>();
    for (let index = 0; index < count; index += 1) this.#readEntry(map, depth);
    return map;
  }

  #readIndefiniteMap(depth: number): Map<CborKey, CborValue> {
    const at = this.#offset;
    const allowed =
      this.#indefiniteMaps === 'anywhere' || (this.#indefiniteMaps === 'top-level' && depth === 0);
    if (!allowed) throw this.#error('CBOR_INDEFINITE', 'a map of indefinite length', at);
    this.#enter(depth, at);
    this.#offset += 1;
    const map = new Map<CborKey, CborValue>();
    while (this.#peek() !== BREAK) this.#readEntry(map, depth);
    this.#offset += 1;
    return map;
  }

  #readEntry(map: Map<CborKey, CborValue>, depth: number): void {
    const at = this.#offset;
    const key = this.#readItem(depth + 1);
    if (typeof key !== 'number' && typeof key !== 'string' && typeof key !== 'bigint') {
      throw this.#error('CBOR_KEY_TYPE', 'a map key that is neither an integer nor text', at);
    }
    if (map.has(key)) throw this.#error('CBOR_DUPLICATE_KEY', 'a key that the map already has', at);
    map.set(key, this.#readItem(depth + 1));
  }

  #readText(at: number): string {
    const { start, length } = this.#takeString(at);
    const short = length <= MAX_SHORT_TEXT ? readAscii(this.#bytes, start, length) : undefined;
    if (short !== undefined) return short;
    try {
      return utf8.decode(new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, length));
    } catch {
      throw this.#error('CBOR_UTF8', 'text that is not UTF-8', at);
    }
  }

  #takeString(at: number): { start: number; length: number } {
    const length = this.#argument;
    const start = this.#offset;
    if (typeof length === 'bigint' || length > this.#bytes.length - start) {
      throw this.#error('CBOR_TRUNCATED', 'a string longer than the input', at);
    }
    this.#offset = start + length;
    return { start, length };
  }

  /** Reads the count of an array or map; refuses one that the rest of the input could not hold. */
  #checkCount(itemsEach: number, at: number): number {
    const count = this.#argument;
    if (typeof count === 'bigint' || count * itemsEach > this.#bytes.length - this.#offset) {
      throw this.#error('CBOR_TRUNCATED', 'more members than the input holds', at);
    }
    return count;
  }

  #enter(depth: number, at: number): void {
    if (depth >= this.#maxDepth) throw this.#error('CBOR_TOO_DEEP', 'arrays and maps nested too deep', at);
  }

  #countItem(at: number): void {
    if (this.#itemsLeft === 0) throw this.#error('CBOR_TOO_MANY_ITEMS', 'too many items', at);
    this.#itemsLeft -= 1;
  }

  /** Reads an initial byte with its argument (RFC 8949 section 3) and gives the major type. */
  #readHead(): number {
    const at = this.#offset;
    const initial = this.#peek();
    const major = initial >> 5;
    const information = initial & 0x1f;
    this.#offset = at + 1;
    if (information < 24) {
      this.#argument = information;
      return major;
    }
    if (information === 31) {
      if (initial === BREAK)
        throw this.#error('CBOR_BREAK', 'a break outside a map of indefinite length', at);
      throw this.#error('CBOR_INDEFINITE', 'an indefinite length', at);
    }
    if (information > 27) throw this.#error('CBOR_RESERVED', 'a reserved length', at);
    const size = 1 << (information - 24);
    if (size > this.#bytes.length - this.#offset) throw this.#error('CBOR_TRUNCATED', 'the input ends', at);
    this.#argument = this.#readArgument(size);
    this.#offset += size;
    // In major type 7 these bytes are a value and no argument: readSimple refuses it with a code of its own.
    if (major !== 7 && this.#argument < (size === 1 ? 24 : 2 ** (4 * size))) {
      throw this.#error('CBOR_NON_MINIMAL', 'an integer or a length not in its shortest form', at);
    }
    return major;
  }

  #readArgument(size: number): number | bigint {
    switch (size) {
      case 1:
        return this.#view.getUint8(this.#offset);
      case 2:
        return this.#view.getUint16(this.#offset);
      case 4:
        return this.#view.getUint32(this.#offset);
      default: {
        const high = this.#view.getUint32(this.#offset);
        // An upper word of 21 bits makes, with the lower 32, the 53 bits of a safe integer.
        return high < 0x20_0000
          ? high * 2 ** 32 + this.#view.getUint32(this.#offset + 4)
          : this.#view.getBigUint64(this.#offset);
      }
    }
  }

  #peek(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw this.#error('CBOR_TRUNCATED', 'the input ends');
    return byte;
  }

  #error(code: CborErrorCode, message: string, offset = this.#offset): CborError {
    return new CborError(code, `${message}, at byte ${offset}`, { offset });
  }
}

function negate(argument: number | bigint): number | bigint {
  if (typeof argument === 'bigint') return -1n - argument;
  // -1 - MAX_SAFE_INTEGER is the one result that leaves the safe range.
  return argument === Number.MAX_SAFE_INTEGER ? -1n - BigInt(argument) : -1 - argument;
}

/**
 * Longest text that is decoded without TextDecoder, in bytes: for short ASCII keys its call would cost most of the
 * time.
 */
const MAX_SHORT_TEXT = 24;

function readAscii(bytes: Uint8Array, start: number, length: number): string | undefined {
  let text = '';
  for (let index = start; index < start + length; index += 1) {
    const octet = bytes[index] ?? 0x80;
    if (octet > 0x7f) return undefined;
    text += ASCII[octet];
  }
  return text;
}

const ASCII = Array.from({ length: 0x80 }, (_, octet) => String.fromCharCode(octet));
