import {
  constants,
  createHash,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/**
 * Signs a digest that is already made by RSASSA-PSS, which node:crypto does not do by itself: the salt has the digest's
 * length, MGF1 has the same hash. Source: RFC 8017, sections 8.1, 9.1 and B.2.1.
 */
export function signPssDigest(key: KeyObject, hash: string, digest: Uint8Array): Uint8Array {
  const length = encodedLength(key);
  const salt = randomBytes(digest.length);
  const block = Buffer.alloc(length - digest.length - 1);
  block[block.length - salt.length - 1] = 1;
  block.set(salt, block.length - salt.length);
  const seed = hashSalted(hash, digest, salt);
  const masked = xor(block, mgf1(hash, seed, block.length));
  // RSA keys have a whole number of bytes here, so that the first bit is cleared.
  masked[0] = (masked[0] ?? 0) & 0x7f;
  const encoded = Buffer.concat([masked, seed, Uint8Array.of(0xbc)]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

export function verifyPssDigest(
  key: KeyObject,
  hash: string,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const length = encodedLength(key);
  const encoded = recover(key, signature);
  if (encoded?.length !== length || encoded.at(-1) !== 0xbc || ((encoded[0] ?? 0) & 0x80) !== 0) return false;
  const size = digest.length;
  const seed = encoded.subarray(-1 - size, -1);
  const masked = encoded.subarray(0, -1 - size);
  const block = xor(masked, mgf1(hash, seed, masked.length));
  block[0] = (block[0] ?? 0) & 0x7f;
  const at = block.length - size - 1;
  if (block[at] !== 1 || block.subarray(0, at).some((byte) => byte !== 0)) return false;
  return timingSafeEqual(seed, hashSalted(hash, digest, block.subarray(at + 1)));
}

function recover(key: KeyObject, signature: Uint8Array): Buffer | undefined {
  try {
    return publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    return undefined;
  }
}

function encodedLength(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
}

function hashSalted(hash: string, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(new Uint8Array(8)).update(digest).update(salt).digest();
}

function mgf1(hash: string, seed: Uint8Array, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let made = 0, counter = 0; made < length; counter += 1) {
    const index = Buffer.alloc(4);
    index.writeUInt32BE(counter);
    const part = createHash(hash).update(seed).update(index).digest();
    parts.push(part);
    made += part.length;
  }
  return Buffer.concat(parts).subarray(0, length);
}

function xor(left: Uint8Array, right: Uint8Array): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)));
}
