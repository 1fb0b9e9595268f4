import { hexToBytes } from '@noble/hashes/utils.js';
import { normaliseOn, assertAddress } from '../../shared/addresses.ts';
import { malformedField } from './errors.ts';

/** A value of JSON, as a request brought it. */
export type Json = unknown;
export type JsonFields = Readonly<Record<string, Json>>;

/** Ethereum's mainnet stands for all: addresses have one form on all of them. */
const ANY_CHAIN = 'eip155:1';
const QUANTITY = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/;
const DATA = /^0x(?:[0-9a-fA-F]{2})*$/;

/** Tells whether a member is there: JSON's null stands for one that is not. */
export const isGiven = (value: Json): boolean => value !== undefined && value !== null;

/** Reads an object. @throws EthereumRequestError */
export function readObject(value: Json, field: string): JsonFields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonFields;
  throw malformedField(field, 'an object');
}

/** Reads a list. @throws EthereumRequestError */
export function readList(value: Json, field: string): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw malformedField(field, 'a list');
}

/** Asserts that an object has no members but those named. @throws EthereumRequestError */
export function assertFields(fields: JsonFields, known: ReadonlySet<string>, path = ''): void {
  const unknown = Object.keys(fields).find((name) => !known.has(name) && isGiven(fields[name]));
  if (unknown !== undefined) throw malformedField(`${path}${unknown}`, 'no field of this name');
}

/** Reads a QUANTITY of Ethereum's JSON-RPC: hex with 0x, without leading zeros. @throws EthereumRequestError */
export function readQuantity(value: Json, field: string, bits = 256): bigint {
  if (!isGiven(value)) throw malformedField(field, 'a value: nothing is filled in');
  if (typeof value !== 'string' || !QUANTITY.test(value))
    throw malformedField(field, 'a quantity: 0x and hex digits without leading zeros');
  const number = BigInt(value);
  if (number >> BigInt(bits) !== 0n) throw malformedField(field, `a number of ${bits} bits`);
  return number;
}

/** Reads DATA of Ethereum's JSON-RPC: whole bytes in hex with 0x. @throws EthereumRequestError */
export function readData(value: Json, field: string, length?: number): Uint8Array {
  if (typeof value !== 'string' || !DATA.test(value))
    throw malformedField(field, 'data: 0x and two hex digits a byte');
  const bytes = hexToBytes(value.slice(2));
  if (length !== undefined && bytes.length !== length) throw malformedField(field, `${length} bytes`);
  return bytes;
}

/** Reads an address, whose case is no checksum or the right one (EIP-55). @throws EthereumRequestError */
export function readAddress(value: Json, field: string): Uint8Array {
  const text = typeof value === 'string' ? value : '';
  try {
    assertAddress(ANY_CHAIN, text);
  } catch {
    throw malformedField(field, 'an address in lower case or with the checksum of EIP-55');
  }
  return hexToBytes(normaliseOn(ANY_CHAIN, text).slice(2));
}
