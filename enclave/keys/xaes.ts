import { createCipheriv } from 'node:crypto';

export const NONCE_BYTES = 24;
const BLOCK_BYTES = 16;
const INPUT_BYTES = 12;

/**
 * Derives the key and nonce of one message of XAES-256-GCM (C2SP, XAES-256-GCM): the key is CMAC in counter mode
 * (SP 800-108) over the first 12 bytes of the nonce, the last 12 are the nonce of AES-256-GCM.
 *
 * @param key 32 bytes
 * @param nonce 24 bytes
 * @returns a key that the caller clears
 */
export function deriveMessageKey(
  key: Uint8Array,
  nonce: Uint8Array,
): { readonly key: Uint8Array; readonly nonce: Uint8Array } {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const subkey = doubleBlock(cipher.update(new Uint8Array(BLOCK_BYTES)));
  const blocks = new Uint8Array(2 * BLOCK_BYTES);
  for (const counter of [1, 2]) {
    const at = (counter - 1) * BLOCK_BYTES;
    blocks.set([0, counter, 0x58, 0], at);
    blocks.set(nonce.subarray(0, INPUT_BYTES), at + 4);
  }
  for (const [index, byte] of blocks.entries()) blocks[index] = byte ^ (subkey[index % BLOCK_BYTES] ?? 0);
  const derived = cipher.update(blocks);
  cipher.final();
  subkey.fill(0);
  blocks.fill(0);
  return { key: derived, nonce: nonce.subarray(INPUT_BYTES, NONCE_BYTES) };
}

/** Doubles a block in the field of CMAC (SP 800-38B, 6.1), in place and in constant time. */
function doubleBlock(block: Uint8Array): Uint8Array {
  const carry = (block[0] ?? 0) >> 7;
  for (let index = 0; index < BLOCK_BYTES; index += 1) {
    const next = index + 1 < BLOCK_BYTES ? (block[index + 1] ?? 0) >> 7 : 0;
    block[index] = ((block[index] ?? 0) << 1) | next;
  }
  block[BLOCK_BYTES - 1] = (block[BLOCK_BYTES - 1] ?? 0) ^ (0x87 & -carry);
  return block;
}
