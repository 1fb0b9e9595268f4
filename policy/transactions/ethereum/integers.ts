import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';

/** Reads a big-endian integer of any length; no bytes are zero. */
export function bytesToInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytesToHex(bytes)}`);
}

/** Writes an integer big-endian without leading zeros; zero is no bytes, as RLP has it. */
export function integerToBytes(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array();
  const digits = value.toString(16);
  return hexToBytes(digits.length % 2 === 0 ? digits : `0${digits}`);
}

/** Writes a word of the EVM: 32 bytes, negative numbers in two's complement. */
export function integerToWord(value: bigint): Uint8Array {
  return hexToBytes(BigInt.asUintN(256, value).toString(16).padStart(64, '0'));
}

/** Writes bytes in hex with 0x. */
export function toHex(bytes: Uint8Array): string {
  return `0x${bytesToHex(bytes)}`;
}
