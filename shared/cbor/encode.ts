import { MAX_CBOR_DEPTH } from './decode.ts';

/** A value that can be encoded: integers, text, bytes, booleans, null, and arrays, maps and plain objects of these. */
export type CborEncodable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborEncodable[]
  | ReadonlyMap<number | bigint | string, CborEncodable>
  | { readonly [key: string]: CborEncodable };

/**
 * Encodes as RFC 8949 section 4.2.1 (minimal integers, definite lengths), but with keys in the order given, since COSE
 * and attestation documents have an order of their own. The same value always gives the same bytes, and `decodeCbor`
 * takes them.
 *
 * The buffer returned holds the encoding and nothing else, and no other copy is made, so that clearing it clears all of
 * it. A library that writes into a pool could not promise that.
 *
 * @throws TypeError for values without such an encoding: floats, undefined, text that is not well-formed Unicode,
 *   integers
 * beyond 64 bits, other classes, the same key as number and as bigint, nesting beyond {@link MAX_CBOR_DEPTH}
 */
export function encodeCbor(value: CborEncodable): Uint8Array<ArrayBuffer> {
  const writer = new Writer(measure(value, 0));
  writer.write(value);
  return writer.bytes;
}

const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const encoder = new TextEncoder();

/** Checks a value and counts the bytes that it will take. */
function measure(value: CborEncodable, depth: number): number {
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'number' || typeof value === 'bigint') return headSize(integerArgument(value));
  if (typeof value === 'string') {
    const length = utf8Length(value);
    return headSize(length) + length;
  }
  if (typeof value !== 'object') throw new TypeError(`CBOR cannot hold a value of type ${typeof value}`);
  if (value instanceof Uint8Array) return headSize(value.length) + value.length;
  if (depth >= MAX_CBOR_DEPTH) throw new TypeError('CBOR nested too deep');
  if (isArray(value)) {
    return value.reduce<number>((sum, item) => sum + measure(item, depth + 1), headSize(value.length));
  }
  return measureMap(entriesOf(value), depth);
}

function measureMap(entries: Entries, depth: number): number {
  const keys = new Set<unknown>();
  let size = 0;
  for (const [key, item] of entries) {
    const kind = typeof key;
    if (kind !== 'string' && kind !== 'number' && kind !== 'bigint') {
      throw new TypeError('CBOR map keys are integers or text');
    }
    keys.add(kind === 'string' ? key : BigInt(key));
    size += measure(key, depth + 1) + measure(item, depth + 1);
  }
  if (keys.size !== entries.length) throw new TypeError('CBOR map with the same key twice');
  return size + headSize(keys.size);
}

class Writer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #offset = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  write(value: CborEncodable): void {
    if (value === null) this.#writeByte(0xf6);
    else if (typeof value === 'boolean') this.#writeByte(value ? 0xf5 : 0xf4);
    else if (typeof value === 'number' || typeof value === 'bigint') {
      this.#writeHead(value < 0 ? 1 : 0, integerArgument(value));
    } else if (typeof value === 'string') this.#writeText(value);
    else if (value instanceof Uint8Array) {
      this.#writeHead(2, value.length);
      this.bytes.set(value, this.#offset);
      this.#offset += value.length;
    } else if (isArray(value)) {
      this.#writeHead(4, value.length);
      for (const item of value) this.write(item);
    } else {
      const entries = entriesOf(value);
      this.#writeHead(5, entries.length);
      for (const [key, item] of entries) {
        this.write(key);
        this.write(item);
      }
    }
  }

  #writeText(value: string): void {
    const length = utf8Length(value);
    this.#writeHead(3, length);
    encoder.encodeInto(value, this.bytes.subarray(this.#offset));
    this.#offset += length;
  }

  #writeHead(major: number, argument: number | bigint): void {
    const top = major << 5;
    const size = headSize(argument);
    if (size === 1) this.#writeByte(top | Number(argument));
    else if (size === 2) {
      this.#writeByte(top | 24);
      this.#writeByte(Number(argument));
    } else if (size === 3) {
      this.#writeByte(top | 25);
      this.#view.setUint16(this.#offset, Number(argument));
    } else if (size === 5) {
      this.#writeByte(top | 26);
      this.#view.setUint32(this.#offset, Number(argument));
    } else {
      this.#writeByte(top | 27);
      this.#view.setBigUint64(this.#offset, BigInt(argument));
    }
    if (size > 2) this.#offset += size - 1;
  }

  #writeByte(byte: number): void {
    this.bytes[this.#offset] = byte;
    this.#offset += 1;
  }
}

/** Counts the bytes of an initial byte and its argument: RFC 8949 section 3. */
function headSize(argument: number | bigint): 1 | 2 | 3 | 5 | 9 {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x10000) return 3;
  return argument < 0x1_0000_0000 ? 5 : 9;
}

/** Computes the argument of an integer: n, or -1 - n where n is negative (RFC 8949, section 3.1). */
function integerArgument(value: number | bigint): number | bigint {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError('CBOR numbers are safe integers');
    return value < 0 ? -1 - value : value;
  }
  const argument = value < 0n ? -1n - value : value;
  if (argument > MAX_UINT64) throw new TypeError('CBOR integers have 64 bits');
  return argument;
}

function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    // UTF-8 takes two bytes from U+0080, three from U+0800; each half of a surrogate pair counts two, as the pair takes
    // four.
    if (unit >= 0x800 && (unit & 0xf800) !== 0xd800) length += 2;
    else if (unit >= 0x80) length += 1;
  }
  if (!text.isWellFormed()) throw new TypeError('CBOR text must be well-formed Unicode');
  return length;
}

type Entries = readonly (readonly [number | bigint | string, CborEncodable])[];

function entriesOf(value: Exclude<CborEncodable, null | boolean | number | bigint | string>): Entries {
  if (value instanceof Map) return [...value];
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('CBOR cannot hold a class instance');
  return Object.entries(value);
}

function isArray(value: object): value is readonly CborEncodable[] {
  return Array.isArray(value);
}
