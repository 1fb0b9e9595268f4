import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { bytesToNumberBE, numberToBytesBE } from '@noble/curves/utils.js';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';

/** The hashes of RSA signatures, by the length of their output. */
const HASHES = {
  32: { hash: sha256, info: hexToBytes('3031300d060960864801650304020105000420') },
  48: { hash: sha384, info: hexToBytes('3041300d060960864801650304020205000430') },
  64: { hash: sha512, info: hexToBytes('3051300d060960864801650304020305000440') },
} as const;
export type HashBytes = keyof typeof HASHES;

/** An RSA public key with the exponent 65537; the modulus is as long as it looks. */
export interface RsaPublicKey {
  /** Big endian, first bit set. */
  readonly modulus: Uint8Array;
}

/** Verifies RSASSA-PKCS1-v1_5 over a digest (RFC 8017, 8.2.2): the encoding is made again and compared whole. */
export function verifyPkcs1(key: RsaPublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const encoded = recover(key, signature);
  const info = HASHES[digest.length as HashBytes].info;
  const { length } = key.modulus;
  const padding = new Uint8Array(length - 3 - info.length - digest.length).fill(0xff);
  const expected = concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), info, digest);
  return encoded !== undefined && isEqual(encoded, expected);
}

/**
 * Verifies RSASSA-PSS over a digest (RFC 8017, 8.1.2 and 9.1.2), with MGF1 of the same hash and a salt of exactly the hash's
 * length.
 */
export function verifyPss(key: RsaPublicKey, digest: Uint8Array, signature: Uint8Array): boolean {
  const encoded = recover(key, signature);
  if (encoded?.at(-1) !== 0xbc || (encoded[0] ?? 0) >= 0x80) return false;
  const { hash } = HASHES[digest.length as HashBytes];
  const size = digest.length;
  const seed = encoded.subarray(-1 - size, -1);
  const block = unmask(encoded.subarray(0, -1 - size), seed, hash);
  const at = block.length - size - 1;
  const isPadded = block[at] === 1 && block.subarray(0, at).every((byte) => byte === 0);
  return isPadded && isEqual(seed, hash(concatBytes(new Uint8Array(8), digest, block.subarray(at + 1))));
}

/** Computes RSAVP1 (5.2.2); undefined for a signature of another length, or not below the modulus. */
function recover({ modulus }: RsaPublicKey, signature: Uint8Array): Uint8Array | undefined {
  if (signature.length !== modulus.length) return undefined;
  const n = bytesToNumberBE(modulus);
  const s = bytesToNumberBE(signature);
  if (s >= n) return undefined;
  let power = s;
  for (let squarings = 0; squarings < 16; squarings += 1) power = (power * power) % n;
  return numberToBytesBE((power * s) % n, modulus.length);
}

/** Takes the mask of MGF1 (B.2.1) from a block, and the first bit: moduli have whole bytes. */
function unmask(masked: Uint8Array, seed: Uint8Array, hash: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const block = new Uint8Array(masked);
  for (let counter = 0, at = 0; at < block.length; counter += 1) {
    for (const byte of hash(concatBytes(seed, Uint8Array.of(0, 0, 0, counter)))) {
      if (at < block.length) block[at] = (block[at] ?? 0) ^ byte;
      at += 1;
    }
  }
  block[0] = (block[0] ?? 0) & 0x7f;
  return block;
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => right[index] === byte);
}
