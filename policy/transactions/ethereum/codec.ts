import { TransactionError } from '../errors.ts';
import { bytesToInteger, integerToBytes } from './integers.ts';
import type { RlpItem } from './rlp.ts';

/** Reads a field from an RLP item and writes it back. `path` names the field in errors. */
export interface Codec<Value> {
  read(item: RlpItem, path: string): Value;
  write(value: Value): RlpItem;
}

type Values<Fields> = { [Name in keyof Fields]: Fields[Name] extends Codec<infer Value> ? Value : never };

function malformed(path: string, expected: string, found: string): TransactionError {
  return new TransactionError('TRANSACTION_MALFORMED', `${path}: expected ${expected}, found ${found}`, {
    field: path,
    expected,
    found,
  });
}

function readString(item: RlpItem, path: string): Uint8Array {
  if (!(item instanceof Uint8Array)) throw malformed(path, 'a string', 'a list');
  return item;
}

function readList(item: RlpItem, path: string): readonly RlpItem[] {
  if (item instanceof Uint8Array) throw malformed(path, 'a list', 'a string');
  return item;
}

/** An unsigned integer below 2^bits. */
export function uint(bits: number): Codec<bigint> {
  return {
    read(item, path) {
      const value = bytesToInteger(readString(item, path));
      if (value >> BigInt(bits) !== 0n) throw malformed(path, `an integer of ${bits} bits`, 'a larger one');
      return value;
    },
    write: integerToBytes,
  };
}

/** A byte string of any length. */
export const byteString: Codec<Uint8Array> = { read: readString, write: (value) => value };

/** A byte string of one length. */
export function fixedBytes(length: number): Codec<Uint8Array> {
  return {
    read(item, path) {
      const bytes = readString(item, path);
      if (bytes.length !== length) throw malformed(path, `${length} bytes`, String(bytes.length));
      return bytes;
    },
    write: (value) => value,
  };
}

/** An address; empty, and then null, where a contract is created. */
export const optionalAddress: Codec<Uint8Array | null> = {
  read(item, path) {
    const bytes = readString(item, path);
    if (bytes.length !== 0 && bytes.length !== 20)
      throw malformed(path, '20 bytes or none', String(bytes.length));
    return bytes.length === 0 ? null : bytes;
  },
  write: (value) => value ?? new Uint8Array(),
};

/** A list of items of one kind. */
export function listOf<Value>(element: Codec<Value>): Codec<readonly Value[]> {
  return {
    read: (item, path) =>
      readList(item, path).map((entry, index) => element.read(entry, `${path}[${index}]`)),
    write: (values) => values.map((value) => element.write(value)),
  };
}

/** A list with one item for each field, in their order. */
export function record<Fields extends Record<string, Codec<unknown>>>(fields: Fields): Codec<Values<Fields>> {
  const entries = Object.entries(fields);
  return {
    read(item, path) {
      const items = readList(item, path);
      if (items.length !== entries.length)
        throw malformed(path, `${entries.length} items`, String(items.length));
      return Object.fromEntries(
        entries.map(([name, codec], index) => [name, codec.read(items[index] ?? [], `${path}.${name}`)]),
      ) as Values<Fields>;
    },
    write: (values) => entries.map(([name, codec]) => codec.write(values[name])),
  };
}
