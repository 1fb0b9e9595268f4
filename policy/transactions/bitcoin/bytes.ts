import { concatBytes } from '@noble/hashes/utils.js';

/** Writes a u32, little-endian. */
export function writeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** Writes a u64, little-endian. */
export function writeU64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

/** Writes a number of something in its shortest form (Bitcoin's compact size). */
export function writeCompactSize(size: number): Uint8Array {
  if (size < 0xfd) return Uint8Array.of(size);
  if (size <= 0xffff) return Uint8Array.of(0xfd, size & 0xff, size >> 8);
  if (size <= 0xffff_ffff) return concatBytes(Uint8Array.of(0xfe), writeU32(size));
  return concatBytes(Uint8Array.of(0xff), writeU64(BigInt(size)));
}

/** Writes bytes behind their number. */
export function writeBytes(bytes: Uint8Array): Uint8Array {
  return concatBytes(writeCompactSize(bytes.length), bytes);
}

/** Compares byte strings, none of which is a secret. */
export function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Orders byte strings as Bitcoin Core orders the keys of a PSBT's map: byte by byte, a prefix first. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
