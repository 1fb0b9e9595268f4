import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { writeBytes, writeCompactSize } from './bytes.ts';

/** One entry of a PSBT's map: the type and data of its key, and its value (BIP-174). */
export interface Field {
  readonly type: number;
  readonly keyData: Uint8Array;
  readonly value: Uint8Array;
}

/** A map of a PSBT, in the order of its bytes, each key once. */
export type FieldMap = readonly Field[];

/**
 * Reads one map with the zero byte at its end.
 *
 * @param maximum of fields that it may have
 * @throws TransactionError TRANSACTION_MALFORMED, TRANSACTION_NOT_CANONICAL, TRANSACTION_TOO_LARGE
 */
export function readMap(reader: ByteReader, maximum: number): FieldMap {
  const fields: Field[] = [];
  const keys = new Set<string>();
  for (let key = reader.readBytes(); key.length > 0; key = reader.readBytes()) {
    if (fields.length === maximum) {
      throw new TransactionError('TRANSACTION_TOO_LARGE', 'the PSBT has more fields than this image reads');
    }
    const name = bytesToHex(key);
    if (keys.has(name)) {
      throw new TransactionError('TRANSACTION_MALFORMED', 'a map of the PSBT has a key twice', {
        key: name.slice(0, 64),
      });
    }
    keys.add(name);
    const keyReader = new ByteReader(key, 'key of the PSBT');
    const type = keyReader.readCompactSize();
    fields.push({ type, keyData: key.subarray(keyReader.offset), value: reader.readBytes() });
  }
  return fields;
}

/** Writes one map with the zero byte at its end. */
export function writeMap(map: FieldMap): Uint8Array {
  return concatBytes(
    ...map.flatMap((field) => [writeBytes(writeKey(field)), writeBytes(field.value)]),
    Uint8Array.of(0),
  );
}

/** Writes a key: its type, and its data. */
export function writeKey({ type, keyData }: Pick<Field, 'type' | 'keyData'>): Uint8Array {
  return concatBytes(writeCompactSize(type), keyData);
}

/** Returns the value of the field that has no key data. */
export function findField(map: FieldMap, type: number): Uint8Array | undefined {
  return map.find((field) => field.type === type)?.value;
}

/** Returns the fields of a type that has key data. */
export function filterFields(map: FieldMap, type: number): FieldMap {
  return map.filter((field) => field.type === type);
}
