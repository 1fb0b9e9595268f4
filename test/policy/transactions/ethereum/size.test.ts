import { Interface } from 'ethers';
import { describe, expect, it } from 'vitest';
import { MAX_BATCH_TOKENS } from '../../../../policy/transactions/ethereum/effects.ts';
import type { DecodedPayload } from '../../../../policy/transactions/index.ts';
import {
  decode,
  decodeDocument,
  decodeTransaction,
  encodeTransaction,
  OTHER,
  SOURCE,
  TOKEN,
} from './support.ts';
import { makeDocument } from './typed-documents.ts';

/** What an entry of the log (65,535 bytes) leaves for a decoded transaction beside rule, approvals and the rest. */
const ROOM = 48 * 1024;
const LARGEST = 2n ** 256n - 1n;

function sizeOf({ transaction }: DecodedPayload): number {
  const text = JSON.stringify(transaction, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return Buffer.byteLength(text);
}

describe('a decoded payload fits into an entry of the log', () => {
  it('as the longest batch of ERC-1155', () => {
    const signature = 'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)';
    const numbers = Array.from({ length: MAX_BATCH_TOKENS }, () => LARGEST);
    const data = new Interface([`function ${signature}`]).encodeFunctionData(signature, [
      SOURCE,
      OTHER,
      numbers,
      numbers,
      '0x',
    ]);
    expect(sizeOf(decodeTransaction(encodeTransaction('EIP-1559', { data })))).toBeLessThan(ROOM);
  });

  it('as the longest batch of Permit2', () => {
    const document = makeDocument(
      {
        PermitBatchTransferFrom:
          'TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline',
        TokenPermissions: 'address token,uint256 amount',
      },
      'PermitBatchTransferFrom',
      {
        permitted: Array.from({ length: MAX_BATCH_TOKENS }, () => ({
          token: TOKEN,
          amount: String(LARGEST),
        })),
        spender: OTHER,
        nonce: String(LARGEST),
        deadline: String(LARGEST),
      },
    );
    expect(sizeOf(decodeDocument(document))).toBeLessThan(ROOM);
  });

  it.each(['"', '\n', '世', 'ab'])('as the longest message of %j', (text) => {
    const message = Buffer.alloc(16 * 1024 - ((16 * 1024) % Buffer.byteLength(text)), text).toString('hex');
    expect(sizeOf(decode({ kind: 'ethereum-message', message }))).toBeLessThan(ROOM);
  });

  it.each(['"', '\u0001', '世', 'a'])('as the longest document of %j, with long names', (text) => {
    const name = 'n'.repeat(600);
    const length = Math.floor(13_000 / Buffer.byteLength(JSON.stringify(text).slice(1, -1)));
    for (const [inDomain, inMessage] of [
      [0, length],
      [length, 0],
      [length >> 1, length >> 1],
    ] as const) {
      const values = [...Array.from({ length: 63 }, () => ''), text.repeat(inMessage)];
      const document = makeDocument(
        { A: `string[] ${name}` },
        'A',
        { [name]: values },
        { name: text.repeat(inDomain), chainId: 1 },
      );
      expect(sizeOf(decodeDocument(document))).toBeLessThan(ROOM);
    }
  });
});
