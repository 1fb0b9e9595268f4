import { AbiCoder, getAddress, id, Transaction } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTransaction } from '../../../../policy/transactions/ethereum/unsigned-transaction.ts';
import { changeDocument, drawDocument } from './random-documents.ts';
import { createRandomSource } from './random-source.ts';
import { changeByte, drawTransaction, encodeOddly } from './random-transactions.ts';
import {
  bare,
  decode,
  decodeDocument,
  decodeTransaction,
  digestOf,
  encodeTransaction,
  refusalOf,
} from './support.ts';

const seeds = fc.nat();
const CODE = /^(?:none|TRANSACTION_[A-Z_]+)$/;

/** What ethers writes of what it has read. */
function rewriteByEthers(bytes: string): { bytes: string; digest: string } {
  const transaction = Transaction.from(`0x${bytes}`);
  return { bytes: transaction.unsignedSerialized.slice(2), digest: transaction.unsignedHash };
}

describe('the decoder of transactions', () => {
  it('reads what viem writes as ethers reads it', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const bytes = drawTransaction(createRandomSource(seed));
        const theirs = Transaction.from(`0x${bytes}`);
        const decoded = decodeTransaction(bytes);
        const { transaction } = parseTransaction(new Uint8Array(Buffer.from(bytes, 'hex')));
        expect(digestOf(decoded)).toBe(theirs.unsignedHash);
        expect(transaction).toMatchObject({
          type: theirs.type,
          chainId: theirs.chainId,
          nonce: BigInt(theirs.nonce),
          gas: theirs.gasLimit,
          maxFeePerGas: theirs.maxFeePerGas ?? theirs.gasPrice,
          maxPriorityFeePerGas: theirs.maxPriorityFeePerGas,
          value: theirs.value,
          maxFeePerBlobGas: theirs.maxFeePerBlobGas ?? 0n,
        });
        const hex = (part: Uint8Array) => `0x${Buffer.from(part).toString('hex')}`;
        expect(transaction.to === null ? null : getAddress(hex(transaction.to))).toBe(theirs.to);
        expect(hex(transaction.data)).toBe(theirs.data);
        expect(transaction.accessList.map((entry) => entry.storageKeys.map(hex))).toEqual(
          (theirs.accessList ?? []).map((entry) => entry.storageKeys),
        );
        expect(transaction.blobHashes.map(hex)).toEqual(theirs.blobVersionedHashes ?? []);
      }),
      { numRuns: 300 },
    );
  });

  it('takes of changed bytes those alone that ethers writes again as they are', () => {
    let taken = 0;
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = createRandomSource(seed);
        const original = drawTransaction(random);
        const bytes = random.once(2) ? changeByte(original, random) : encodeOddly(original, random);
        let digest: string | undefined;
        const refusal = refusalOf(() => {
          digest = digestOf(decodeTransaction(bytes));
        });
        expect(refusal).toMatch(CODE);
        if (refusal !== 'none') return;
        taken += 1;
        // ethers keeps nonces as numbers, and refuses those that it would round.
        const { transaction } = parseTransaction(new Uint8Array(Buffer.from(bytes, 'hex')));
        if (transaction.nonce <= Number.MAX_SAFE_INTEGER)
          expect(rewriteByEthers(bytes)).toEqual({ bytes, digest });
      }),
      { numRuns: 1000 },
    );
    expect(taken).toBeGreaterThan(50);
  });

  it('throws coded errors alone for any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array).toString('hex'));
    const prefix = fc.constantFrom('', '01', '02', '03', '04', '05', '02f8', '04f9', 'f8', '05f8');
    fc.assert(
      fc.property(prefix, bytes, (start, rest) => {
        expect(refusalOf(() => decodeTransaction(start + rest))).toMatch(CODE);
        const payload = { kind: 'ethereum-authorization', authorization: start + rest } as const;
        expect(refusalOf(() => decode(payload))).toMatch(CODE);
        expect(refusalOf(() => decode({ kind: 'ethereum-message', message: start + rest }))).toBe('none');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the decoder of typed data', () => {
  it('throws coded errors alone, and never reads two documents as one', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = createRandomSource(seed);
        const document = drawDocument(random);
        const changed = changeDocument(document, random);
        let digest: string | undefined;
        const refusal = refusalOf(() => {
          digest = digestOf(decodeDocument(changed));
        });
        expect(refusal).toMatch(CODE);
        // Details show every value in one notation: what is shown alike is signed alike, and nothing else is.
        if (refusal !== 'none') return;
        const shown = [document, changed].map((one) => JSON.stringify(shownOf(one)));
        expect(shown[0] === shown[1]).toBe(digestOf(decodeDocument(document)) === digest);
      }),
      { numRuns: 1000 },
    );
  });
});

/** What a person is shown of a document: its domain, its type and its values, as long as none is omitted. */
function shownOf(document: unknown): unknown {
  const { details, effects } = decodeDocument(document).transaction;
  return [details, effects[0]?.details];
}

const SIGNATURES = [
  'transfer(address,uint256)',
  'setApprovalForAll(address,bool)',
  'permit(address,address,uint256,uint256,uint8,bytes32,bytes32)',
  'safeTransferFrom(address,address,uint256,bytes)',
  'safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)',
];

/** Draws the words of a call: clean and dirty addresses, small numbers, offsets that may be right, anything. */
function drawWords(random: ReturnType<typeof createRandomSource>, length: number): string {
  const word = (digits: string) => digits.padStart(64, '0');
  const words = Array.from({ length }, () => {
    const kind = random.below(8);
    if (kind < 3) return word(Buffer.from(random.bytes(20)).toString('hex'));
    if (kind < 6) return word(random.pick(['0', '1', '2', '80', 'a0', 'c0', 'e0', '100', '120']));
    return word(Buffer.from(random.bytes(random.pick([1, 21, 32]))).toString('hex'));
  });
  return words.join('') + (random.once(8) ? '00' : '');
}

/** Tells whether ethers writes what it reads of arguments as they are, and whether a batch is one of something. */
function isCanonicalByEthers(signature: string, data: string): boolean {
  const types = signature.slice(signature.indexOf('(') + 1, -1).split(',');
  const coder = AbiCoder.defaultAbiCoder();
  try {
    const values = coder.decode(types, `0x${data}`).toArray() as unknown[];
    const [, , ids, amounts] = values;
    const isBatch = Array.isArray(ids) && Array.isArray(amounts);
    return (
      bare(coder.encode(types, values)) === data &&
      (!isBatch || (ids.length > 0 && ids.length === amounts.length))
    );
  } catch {
    return false;
  }
}

describe('the decoder of calldata', () => {
  it('describes those calls alone that ethers writes again as they are', () => {
    const seen = { canonical: 0, other: 0 };
    fc.assert(
      fc.property(seeds, (seed) => {
        const random = createRandomSource(seed);
        const signature = random.pick(SIGNATURES);
        const batch = signature.startsWith('safeBatch') && random.once(2);
        const head = drawWords(random, batch ? 0 : 1 + random.below(9));
        const list = (value: number) => value.toString(16).padStart(64, '0');
        const data = batch
          ? `${'0'.repeat(128)}${[0xa0, 0xe0, 0x120, 1, 5, 1, random.pick([0, 7]), random.pick([0, 0, 1])].map(list).join('')}`
          : head;
        const call = encodeTransaction('EIP-1559', { value: '0x', data: id(signature).slice(0, 10) + data });
        const isDescribed = !decodeTransaction(call).transaction.features.includes(
          'ethereum:noncanonical-calldata',
        );
        expect(isDescribed).toBe(isCanonicalByEthers(signature, data));
        seen[isDescribed ? 'canonical' : 'other'] += 1;
      }),
      { numRuns: 2000 },
    );
    expect(seen.canonical).toBeGreaterThan(100);
    expect(seen.other).toBeGreaterThan(100);
  });
});
