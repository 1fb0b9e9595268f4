import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../errors.ts';
import { integerToBytes } from './integers.ts';
import { encodeRlp } from './rlp.ts';

/** The address of a key: its 20 bytes, and its text by EIP-55. */
export interface Account {
  readonly address: Uint8Array;
  readonly text: string;
}

/** The most public keys whose account is remembered. */
const MAX_REMEMBERED = 256;
/** Accounts by public key in hex: to find the point of a compressed key takes twice as long as to decode a transfer. */
const remembered = new Map<string, Account>();

/** Writes an address of 20 bytes with the checksum of EIP-55. */
export function formatAddress(address: Uint8Array): string {
  const digits = bytesToHex(address);
  const hash = keccak_256(utf8ToBytes(digits));
  let text = '0x';
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charAt(index);
    const nibble = ((hash[index >> 1] ?? 0) >> (index % 2 === 0 ? 4 : 0)) & 0x0f;
    text += nibble >= 8 ? digit.toUpperCase() : digit;
  }
  return text;
}

/**
 * Computes the account of a public key (compressed SEC1).
 *
 * @throws TransactionError TRANSACTION_KEY_MISMATCH where it is no public key on secp256k1
 */
export function computeAccount(publicKey: Uint8Array): Account {
  const name = bytesToHex(publicKey);
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const address = hashPublicKey(parsePublicKey(publicKey));
  const account = { address, text: formatAddress(address) };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(name, account);
  return account;
}

function parsePublicKey(publicKey: Uint8Array): Uint8Array {
  try {
    return secp256k1.Point.fromBytes(publicKey).toBytes(false);
  } catch (error) {
    throw new TransactionError('TRANSACTION_KEY_MISMATCH', 'the key is not one on secp256k1', {}, error);
  }
}

/** Computes the address of an uncompressed public key of 65 bytes. */
export function hashPublicKey(uncompressed: Uint8Array): Uint8Array {
  return keccak_256(uncompressed.subarray(1)).slice(12);
}

/** Computes the address of the contract that an account creates with a nonce (yellow paper, section 7). */
export function computeCreatedAddress(creator: Uint8Array, nonce: bigint): Uint8Array {
  return keccak_256(encodeRlp([creator, integerToBytes(nonce)])).slice(12);
}
