import { ed25519, ristretto255 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type GroupName } from '../../../../shared/frost/groups/group.ts';

/*
 * Oracles of the groups: orders as published, arithmetic of BigInt, and the points of @noble/curves, which encode
 * results of their own.
 */

/** RFC 9591, 6.1 to 6.5, in decimal where the RFC has a sum, and SEC 2, 2.4.1 and 2.4.2. */
export const ORDERS: Readonly<Record<GroupName, bigint>> = {
  ed25519: 2n ** 252n + 27742317777372353535851937790883648493n,
  ristretto255: 2n ** 252n + 27742317777372353535851937790883648493n,
  p256: BigInt('0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551'),
  secp256k1: BigInt('0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141'),
};

const LITTLE_ENDIAN: ReadonlySet<GroupName> = new Set(['ed25519', 'ristretto255']);

/** Encodes a number in the group's byte order. */
export function encodeNumber(name: GroupName, value: bigint, length = 32): Uint8Array {
  const bytes = Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
  return Uint8Array.from(LITTLE_ENDIAN.has(name) ? bytes.reverse() : bytes);
}

/** Decodes a number in the group's byte order. */
export function decodeNumber(name: GroupName, bytes: Uint8Array): bigint {
  const ordered = LITTLE_ENDIAN.has(name) ? Buffer.from(bytes).reverse() : Buffer.from(bytes);
  return BigInt(`0x${ordered.toString('hex')}`);
}

type Multiply = (scalar: bigint) => Uint8Array;

const MULTIPLY: Readonly<Record<GroupName, Multiply>> = {
  ed25519: (scalar) => ed25519.Point.BASE.multiplyUnsafe(scalar).toBytes(),
  ristretto255: (scalar) => ristretto255.Point.BASE.multiplyUnsafe(scalar).toBytes(),
  p256: (scalar) => p256.Point.BASE.multiplyUnsafe(scalar).toBytes(true),
  secp256k1: (scalar) => secp256k1.Point.BASE.multiplyUnsafe(scalar).toBytes(true),
};

/** Encodes a multiple of the generator by noble; undefined for the identity. The multiple may be any number. */
export function encodeMultiple(name: GroupName, multiple: bigint): Uint8Array | undefined {
  const order = ORDERS[name];
  const scalar = ((multiple % order) + order) % order;
  return scalar === 0n ? undefined : MULTIPLY[name](scalar);
}
