import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

/** SHA-256 twice: transaction ids, and the hashes of BIP-143. */
export function hash256(bytes: Uint8Array): Uint8Array {
  return sha256(sha256(bytes));
}

/** RIPEMD-160 of SHA-256: keys and scripts in addresses. */
export function hash160(bytes: Uint8Array): Uint8Array {
  return ripemd160(sha256(bytes));
}

const SIGHASH_TAG = sha256(utf8ToBytes('TapSighash'));

/** The tagged hash of BIP-340 with the tag of BIP-341's signature hash. */
export function hashTapSighash(message: Uint8Array): Uint8Array {
  return sha256(concatBytes(SIGHASH_TAG, SIGHASH_TAG, message));
}
