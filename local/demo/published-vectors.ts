import { keccak_256 } from '@noble/hashes/sha3.js';

/**
 * Signed EIP-1559 transaction of the test vectors of @ethereumjs/tx (eip1559.json, the first one), without the byte
 * string around it: type 2 ‖ RLP of twelve fields, the last three of which are yParity, r and s.
 */
const SIGNED_TRANSACTION = Buffer.from(
  '02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c0' +
    '80a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0' +
    'a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e',
  'hex',
);
/** Bytes of the signature's fields: yParity takes one, r and s 33 each. */
const SIGNATURE_BYTES = 67;
const LIST_HEADER_BYTES = 2;

/** Hash that an EIP-1559 signature covers: keccak256(0x02 ‖ rlp of the first nine fields). */
export function hashEthereumTransaction(): Uint8Array {
  const fields = SIGNED_TRANSACTION.subarray(1 + LIST_HEADER_BYTES, -SIGNATURE_BYTES);
  return keccak_256(Buffer.concat([Uint8Array.of(0x02, 0xc0 + fields.length), fields]));
}

/** Signature published with the transaction: r ‖ s, and the address of the key that made it. */
export const ETHEREUM_VECTOR = {
  signature: Buffer.concat([SIGNED_TRANSACTION.subarray(-65, -33), SIGNED_TRANSACTION.subarray(-32)]),
  recovery: 0,
} as const;

/**
 * Vectors of BIP-341, wallet test vectors, key path spending: signature hashes of inputs 0 and 1, and their merkle
 * roots.
 */
export const TAPROOT_VECTORS = [
  { sighash: '2514a6272f85cfa0f45eb907fcb0d121b808ed37c6ea160a5a9046ed5526d555', merkleRoot: '' },
  {
    sighash: '325a644af47e8a5a2591cda0ab0723978537318f10e6a63d4eed783b96a71a4d',
    merkleRoot: '5b75adecf53548f3ec6ad7d78383bf84cc57b55a3127c72b9a2481752dd88b21',
  },
] as const;
