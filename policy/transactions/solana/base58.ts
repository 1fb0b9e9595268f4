const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** Bytes that are read, and characters that are written, at once: their product with a carry is exact in a double. */
const BYTES = 3;
const CHARACTERS = 4;
const BYTES_BASE = 256 ** BYTES;
const CHARACTERS_BASE = 58 ** CHARACTERS;

/** Encodes bytes as Base58 in Bitcoin's alphabet, as Solana writes addresses; each zero byte in front is a 1. */
export function encodeBase58(bytes: Uint8Array): string {
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros += 1;
  /** Groups of four characters, the last ones first. */
  const groups: number[] = [];
  let end = zeros + ((bytes.length - zeros) % BYTES || BYTES);
  for (let start = zeros; start < bytes.length; start = end, end += BYTES) {
    let carry = 0;
    for (let index = start; index < end; index += 1) carry = carry * 256 + (bytes[index] ?? 0);
    for (let index = 0; index < groups.length; index += 1) {
      const value = (groups[index] ?? 0) * BYTES_BASE + carry;
      carry = Math.floor(value / CHARACTERS_BASE);
      groups[index] = value - carry * CHARACTERS_BASE;
    }
    for (; carry > 0; carry = Math.floor(carry / CHARACTERS_BASE)) groups.push(carry % CHARACTERS_BASE);
  }
  let text = '';
  for (const group of groups) {
    let rest = group;
    for (let count = 0; count < CHARACTERS; count += 1, rest = Math.floor(rest / 58)) {
      text = (ALPHABET[rest % 58] ?? '') + text;
    }
  }
  // The first group has as many characters as it needs.
  return '1'.repeat(zeros) + text.replace(/^1+/, '');
}
