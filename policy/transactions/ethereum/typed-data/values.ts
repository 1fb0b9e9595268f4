import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { JsonValue } from '../../../../shared/json/index.ts';
import { formatAddress } from '../account.ts';
import { integerToWord, toHex } from '../integers.ts';
import { malformed, tooLarge } from './errors.ts';
import { asRecord, encodeType, type FieldType, type StructTypes } from './types.ts';

/** A value that was read: what its struct's hash takes of it, and what it says. */
export interface TypedValue {
  /** The 32 bytes of EIP-712's `encodeData`: the value itself, or the hash of a string, an array or a struct. */
  readonly word: Uint8Array;
  /** An atomic value in one notation: integers in decimal, bytes in hex with 0x, addresses by EIP-55. */
  readonly text: string;
  /** Fields of a struct by name, elements of an array by `[index]`; null in an atomic value. */
  readonly parts: ReadonlyMap<string, TypedValue> | null;
}

/** The most values of a document, the structs and arrays among them: each costs a hash. */
export const MAX_TYPED_VALUES = 1024;

const DECIMAL = /^(?:0|-?[1-9][0-9]{0,77})$/;
const HEX = /^0x(?:[0-9a-fA-F]{2})*$/;

/** Reads the values of one document and hashes them: each struct's type is hashed once. */
export class ValueReader {
  readonly #types: StructTypes;
  readonly #typeHashes = new Map<string, Uint8Array>();
  #count = 0;

  constructor(types: StructTypes) {
    this.#types = types;
  }

  /**
   * Reads the value of a struct, which has every field of its type and no other; its `word` is `hashStruct` of EIP-712.
   *
   * @throws TransactionError TRANSACTION_MALFORMED for a value that is not in the one notation of its type,
   *   TRANSACTION_TOO_LARGE beyond {@link MAX_TYPED_VALUES}
   */
  readStruct(name: string, value: JsonValue | undefined, path: string): TypedValue {
    this.#enter(path);
    const fields = this.#types.get(name) ?? [];
    const object = asRecord(
      value,
      fields.map((field) => field.name),
      path,
    );
    const parts = new Map(
      fields.map((field) => [
        field.name,
        this.#read(field.type, object[field.name], `${path}.${field.name}`),
      ]),
    );
    return { word: hashParts([this.#hashType(name)], parts), text: '', parts };
  }

  #read(type: FieldType, value: JsonValue | undefined, path: string): TypedValue {
    if (type.kind === 'struct') return this.readStruct(type.name, value, path);
    this.#enter(path);
    if (type.kind !== 'array') return readAtom(type, value, path);
    if (!Array.isArray(value)) throw malformed(path, 'an array');
    if (type.length !== null && value.length !== type.length)
      throw malformed(path, `${type.length} elements`);
    const parts = new Map(
      value.map((element, index) => [`[${index}]`, this.#read(type.element, element, `${path}[${index}]`)]),
    );
    return { word: hashParts([], parts), text: '', parts };
  }

  #hashType(name: string): Uint8Array {
    const known = this.#typeHashes.get(name);
    if (known !== undefined) return known;
    const hash = keccak_256(utf8ToBytes(encodeType(this.#types, name)));
    this.#typeHashes.set(name, hash);
    return hash;
  }

  #enter(path: string): void {
    this.#count += 1;
    if (this.#count > MAX_TYPED_VALUES) throw tooLarge(path, MAX_TYPED_VALUES);
  }
}

function hashParts(before: readonly Uint8Array[], parts: ReadonlyMap<string, TypedValue>): Uint8Array {
  return keccak_256(concatBytes(...before, ...[...parts.values()].map((part) => part.word)));
}

function atom(word: Uint8Array, text: string): TypedValue {
  return { word, text, parts: null };
}

function readAtom(
  type: Exclude<FieldType, { kind: 'struct' | 'array' }>,
  value: JsonValue | undefined,
  path: string,
): TypedValue {
  switch (type.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw malformed(path, 'true or false');
      return atom(integerToWord(value ? 1n : 0n), String(value));
    case 'string':
      if (typeof value !== 'string') throw malformed(path, 'a string');
      return atom(keccak_256(utf8ToBytes(value)), value);
    case 'uint':
    case 'int':
      return readInteger(type, value, path);
    case 'address':
      return readAddress(value, path);
    case 'bytes': {
      const bytes = hexToBytes(readDigits(value, path));
      return atom(keccak_256(bytes), toHex(bytes));
    }
    case 'fixed-bytes':
    default:
      return readFixedBytes(type.length, value, path);
  }
}

/** Reads an integer: a number without a fraction, which JSON's reader has found to be a safe one, or decimal digits. */
function readInteger(
  { kind, bits }: { kind: 'uint' | 'int'; bits: number },
  value: JsonValue | undefined,
  path: string,
): TypedValue {
  const isInteger = typeof value === 'string' ? DECIMAL.test(value) : Number.isSafeInteger(value);
  if (!isInteger || (typeof value !== 'string' && typeof value !== 'number')) {
    throw malformed(path, 'an integer, as a number or in decimal digits');
  }
  const integer = BigInt(value);
  const isHeld =
    kind === 'uint' ? BigInt.asUintN(bits, integer) === integer : BigInt.asIntN(bits, integer) === integer;
  if (!isHeld) throw malformed(path, `a number of ${kind}${bits}`);
  return atom(integerToWord(integer), integer.toString());
}

function readDigits(value: JsonValue | undefined, path: string): string {
  if (typeof value !== 'string' || !HEX.test(value)) throw malformed(path, 'bytes in hex with 0x');
  return value.slice(2);
}

function readFixedBytes(length: number, value: JsonValue | undefined, path: string): TypedValue {
  const bytes = hexToBytes(readDigits(value, path));
  if (bytes.length !== length) throw malformed(path, `${length} bytes`);
  const word = new Uint8Array(32);
  word.set(bytes);
  return atom(word, toHex(bytes));
}

/** Reads an address; letters of both cases have to be the checksum of EIP-55. */
function readAddress(value: JsonValue | undefined, path: string): TypedValue {
  const digits = readDigits(value, path);
  const bytes = hexToBytes(digits);
  if (bytes.length !== 20) throw malformed(path, '20 bytes');
  const text = formatAddress(bytes);
  if (digits !== text.slice(2) && digits !== digits.toLowerCase() && digits !== digits.toUpperCase()) {
    throw malformed(path, 'an address whose checksum (EIP-55) is right');
  }
  const word = new Uint8Array(32);
  word.set(bytes, 12);
  return atom(word, text);
}
