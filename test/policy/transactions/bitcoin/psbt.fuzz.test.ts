import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareWithRust, compareWithScure, drawCase, readCase } from '../../../fuzz/psbt-comparison.ts';
import { parsePsbt, serialisePsbt } from '../../../../policy/transactions/bitcoin/psbt.ts';
import { TransactionError } from '../../../../policy/transactions/index.ts';
import { findPsbtReader } from './psbt-reader.ts';
import { makePsbt } from './support.ts';

const reader = findPsbtReader();
const REFUSED = /^refused /;
const seeds = fc.tuple(fc.string({ minLength: 1, maxLength: 8 }), fc.nat(10_000));

describe('PSBTs that scure wrote', () => {
  it('are read, and read as scure and rust-bitcoin do', () => {
    fc.assert(
      fc.property(seeds, ([seed, number]) => {
        const one = drawCase(seed, 4 * number);
        const decoded = readCase(one);
        if (typeof decoded === 'string') throw new RangeError(decoded);
        expect(compareWithScure(one, decoded)).toBeUndefined();
        const [reading] = reader?.read([one.psbt]) ?? [];
        if (reading !== undefined) expect(compareWithRust(decoded, reading)).toBeUndefined();
      }),
      { numRuns: 100 },
    );
  });

  it('and that were changed are refused, or read as scure and rust-bitcoin do where they take them', () => {
    fc.assert(
      fc.property(seeds, ([seed, number]) => {
        const one = drawCase(seed, 4 * number + 1);
        const decoded = readCase(one);
        if (typeof decoded === 'string') return;
        expect(compareWithScure(one, decoded) ?? 'refused ').toMatch(REFUSED);
        const [reading] = reader?.read([one.psbt]) ?? [];
        if (reading !== undefined) expect(compareWithRust(decoded, reading) ?? 'refused ').toMatch(REFUSED);
      }),
      { numRuns: 300 },
    );
  });
});

describe('any bytes', () => {
  const original = makePsbt({
    inputs: [{ form: 'p2wpkh', amount: 50_000n }],
    outputs: [{ script: Uint8Array.of(0x6a), amount: 0n }],
  });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.uint8Array({ maxLength: 200 }).map((tail) => Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff, ...tail)),
    fc
      .tuple(fc.nat(original.length), fc.nat(4), fc.uint8Array({ maxLength: 4 }))
      .map(([start, count, insert]) =>
        Uint8Array.from([...original.subarray(0, start), ...insert, ...original.subarray(start + count)]),
      ),
  );

  it('are refused with a TransactionError, or serialise to themselves', () => {
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          expect(serialisePsbt(parsePsbt(input))).toEqual(input);
        } catch (error) {
          if (!(error instanceof TransactionError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });
});
