const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Encodes bytes as Base58 in Bitcoin's alphabet, as Solana writes addresses; each zero byte in front is a 1. */
export function encodeBase58(bytes: Uint8Array): string {
  const digits: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (byte === 0 && digits.length === 0) zeros += 1;
    let carry = byte;
    for (let index = 0; index < digits.length; index += 1) {
      carry += (digits[index] ?? 0) * 256;
      digits[index] = carry % 58;
      carry = Math.floor(carry / 58);
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58);
  }
  let text = '1'.repeat(zeros);
  for (let index = digits.length - 1; index >= 0; index -= 1) text += ALPHABET[digits[index] ?? 0];
  return text;
}
