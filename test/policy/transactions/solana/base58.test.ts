import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBase58 } from '../../../../policy/transactions/solana/base58.ts';

/** Base58 by division of one large number, as its definition has it. */
function divide(bytes: Uint8Array): string {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let text = '';
  for (let number = BigInt(`0x00${Buffer.from(bytes).toString('hex')}`); number > 0n; number /= 58n) {
    text = alphabet.charAt(Number(number % 58n)) + text;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text;
}

describe('Base58', () => {
  it('is that of its definition, at any length, with any number of zeros in front', () => {
    const zeros = fc.nat(5).map((length) => new Uint8Array(length));
    fc.assert(
      fc.property(zeros, fc.uint8Array({ maxLength: 70 }), (front, rest) => {
        const bytes = Buffer.concat([front, rest]);
        expect(encodeBase58(bytes)).toBe(divide(bytes));
      }),
    );
  });
});
