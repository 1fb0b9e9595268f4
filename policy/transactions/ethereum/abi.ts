import { concatBytes } from '@noble/hashes/utils.js';
import { findDifference } from './canonical.ts';
import { bytesToInteger, integerToWord } from './integers.ts';

/** The values of the ABI's types that known functions have. Integers and flags are words, as numbers. */
interface AbiTypes {
  address: Uint8Array;
  uint256: bigint;
  uint8: bigint;
  bool: boolean;
  bytes32: Uint8Array;
  bytes: Uint8Array;
  'uint256[]': readonly bigint[];
}
export type AbiType = keyof AbiTypes;
export type AbiValues<Types extends readonly AbiType[]> = { [Index in keyof Types]: AbiTypes[Types[Index]] };

const WORD = 32;

/**
 * Decodes the arguments of a call (Solidity's contract ABI specification), and encodes them again: undefined where the
 * bytes are not the one encoding of what was read, be it dirty upper bytes, an offset that points elsewhere, padding that
 * is not zero, or bytes left over. Contracts differ in how they read such bytes.
 */
export function decodeArguments<const Types extends readonly AbiType[]>(
  types: Types,
  data: Uint8Array,
): AbiValues<Types> | undefined {
  const values = types.map((type, index) => readValue(type, data, index * WORD));
  if (values.includes(undefined)) return undefined;
  const encoded = encodeArguments(types, values as AbiTypes[AbiType][]);
  return findDifference(encoded, data) === undefined ? (values as unknown as AbiValues<Types>) : undefined;
}

function readWord(data: Uint8Array, at: number): Uint8Array | undefined {
  const word = data.subarray(at, at + WORD);
  return word.length === WORD ? word : undefined;
}

/** Reads an offset or a length: a number that lies within the data. */
function readSize(data: Uint8Array, at: number): number | undefined {
  const word = readWord(data, at);
  if (word === undefined) return undefined;
  const size = bytesToInteger(word);
  return size <= BigInt(data.length) ? Number(size) : undefined;
}

function readValue(type: AbiType, data: Uint8Array, at: number): AbiTypes[AbiType] | undefined {
  const word = readWord(data, at);
  if (word === undefined) return undefined;
  switch (type) {
    case 'address':
      return word.subarray(12);
    case 'uint256':
      return bytesToInteger(word);
    case 'uint8':
      return bytesToInteger(word.subarray(31));
    case 'bool':
      return bytesToInteger(word) !== 0n;
    case 'bytes32':
      return word;
    case 'bytes':
    case 'uint256[]':
    default:
      return readTail(type, data, at);
  }
}

/** Reads a value that stands where the word at `at` points. */
function readTail(type: 'bytes' | 'uint256[]', data: Uint8Array, at: number): AbiTypes[AbiType] | undefined {
  const start = readSize(data, at);
  const length = start === undefined ? undefined : readSize(data, start);
  if (start === undefined || length === undefined) return undefined;
  const tail = data.subarray(start + WORD);
  if (type === 'bytes') return length <= tail.length ? tail.subarray(0, length) : undefined;
  if (length * WORD > tail.length) return undefined;
  return Array.from({ length }, (_, index) =>
    bytesToInteger(tail.subarray(index * WORD, (index + 1) * WORD)),
  );
}

function encodeArguments(types: readonly AbiType[], values: readonly AbiTypes[AbiType][]): Uint8Array {
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  let offset = types.length * WORD;
  for (const [index, value] of values.entries()) {
    const tail = encodeTail(types[index], value);
    heads.push(tail === undefined ? encodeWord(value) : integerToWord(BigInt(offset)));
    if (tail === undefined) continue;
    tails.push(tail);
    offset += tail.length;
  }
  return concatBytes(...heads, ...tails);
}

function encodeWord(value: AbiTypes[AbiType]): Uint8Array {
  if (typeof value === 'bigint') return integerToWord(value);
  if (typeof value === 'boolean') return integerToWord(value ? 1n : 0n);
  const word = new Uint8Array(WORD);
  if (value instanceof Uint8Array) word.set(value, WORD - value.length);
  return word;
}

function encodeTail(type: AbiType | undefined, value: AbiTypes[AbiType]): Uint8Array | undefined {
  if (type === 'bytes' && value instanceof Uint8Array) {
    const padded = new Uint8Array(Math.ceil(value.length / WORD) * WORD);
    padded.set(value);
    return concatBytes(integerToWord(BigInt(value.length)), padded);
  }
  if (type === 'uint256[]' && Array.isArray(value)) {
    return concatBytes(integerToWord(BigInt(value.length)), ...value.map(integerToWord));
  }
  return undefined;
}
