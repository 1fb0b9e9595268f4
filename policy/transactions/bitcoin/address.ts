import { concatBytes } from '@noble/hashes/utils.js';
import { hash256 } from './hashes.ts';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const BECH32_CONSTANT = 1;
const BECH32M_CONSTANT = 0x2bc8_30a3;
const GENERATOR = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/** Writes a version byte and a hash as Base58Check. */
export function encodeBase58Check(version: number, hash: Uint8Array): string {
  const payload = concatBytes(Uint8Array.of(version), hash);
  const bytes = concatBytes(payload, hash256(payload).subarray(0, 4));
  let number = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let text = '';
  for (; number > 0n; number /= 58n) text = `${BASE58[Number(number % 58n)]}${text}`;
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return BASE58.charAt(0).repeat(zeros === -1 ? bytes.length : zeros) + text;
}

/** Writes a witness program as an address: Bech32 for version 0 (BIP-173), Bech32m for all others (BIP-350). */
export function encodeWitnessAddress(prefix: string, version: number, program: Uint8Array): string {
  const groups = [version, ...toGroupsOfFive(program)];
  const characters = Array.from(prefix, (character) => character.charCodeAt(0));
  const expanded = [...characters.map((code) => code >> 5), 0, ...characters.map((code) => code & 31)];
  const constant = version === 0 ? BECH32_CONSTANT : BECH32M_CONSTANT;
  const checksum = computePolymod([...expanded, ...groups, 0, 0, 0, 0, 0, 0]) ^ constant;
  const digits = [...groups, ...[25, 20, 15, 10, 5, 0].map((shift) => (checksum >>> shift) & 31)];
  return `${prefix}1${digits.map((digit) => BECH32[digit]).join('')}`;
}

function toGroupsOfFive(bytes: Uint8Array): number[] {
  const groups: number[] = [];
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) groups.push((value >> (bits - 5)) & 31);
  }
  if (bits > 0) groups.push((value << (5 - bits)) & 31);
  return groups;
}

function computePolymod(groups: readonly number[]): number {
  let checksum = 1;
  for (const group of groups) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ff_ffff) << 5) ^ group;
    for (const [bit, term] of GENERATOR.entries()) if ((top >> bit) & 1) checksum ^= term;
  }
  return checksum >>> 0;
}
