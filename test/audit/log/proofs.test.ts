import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashLeaf, LogError, verifyConsistency, verifyInclusion } from '../../../audit/log/index.ts';
import { numberedEntries, referenceConsistency, referencePath, referenceRoot } from './reference-tree.ts';

const MAX = 66;
const entries = numberedEntries(MAX);
const roots = Array.from({ length: MAX + 1 }, (_, size) => referenceRoot(entries.slice(0, size)));
const headOf = (size: number) => ({ size, root: roots[size] ?? Buffer.alloc(0) });
const leafOf = (index: number) => hashLeaf(entries[index] ?? Buffer.alloc(0));
const refusal = (code: string) => expect.objectContaining({ constructor: LogError, code });

describe('an inclusion proof', () => {
  it('of every leaf in every tree verifies, and no other leaf, index or length does', () => {
    for (let size = 1; size <= 40; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = referencePath(index, entries.slice(0, size));
        verifyInclusion(leafOf(index), index, headOf(size), proof);
        const wrong: readonly (readonly [Uint8Array, number, number, readonly Uint8Array[]])[] = [
          [leafOf((index + 1) % MAX), index, size, proof],
          [leafOf(index), size, size, proof],
          [leafOf(index), index, size, [...proof, Buffer.alloc(32)]],
          ...(proof.length === 0 ? [] : [[leafOf(index), index, size, proof.slice(1)] as const]),
          ...(proof.length === 0 ? [] : [[leafOf(index), index, size, proof.slice(0, -1)] as const]),
        ];
        for (const [leaf, at, count, path] of wrong) {
          expect(() => verifyInclusion(leaf, at, headOf(count), path)).toThrow(
            refusal('INCLUSION_PROOF_INVALID'),
          );
        }
      }
    }
  });

  it('with any bit turned over is refused', () => {
    const drawn = fc
      .integer({ min: 2, max: MAX })
      .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1), bit: fc.nat() }));
    fc.assert(
      fc.property(drawn, ({ size, index, bit }) => {
        const proof = referencePath(index, entries.slice(0, size));
        const at = bit % (proof.length * 256);
        const hash = proof[Math.floor(at / 256)];
        if (hash === undefined) return;
        hash[Math.floor((at % 256) / 8)] = (hash[Math.floor((at % 256) / 8)] ?? 0) ^ (1 << (at % 8));
        expect(() => verifyInclusion(leafOf(index), index, headOf(size), proof)).toThrow(LogError);
      }),
    );
  });
});

describe('a consistency proof', () => {
  it('of every two trees verifies, and no other length, order or root does', () => {
    for (let size = 0; size <= 40; size += 1) {
      for (let older = 0; older <= size; older += 1) {
        const isTrivial = older === 0 || older === size;
        const proof = isTrivial ? [] : referenceConsistency(older, entries.slice(0, size));
        verifyConsistency(headOf(older), headOf(size), proof);
        const wrong: (() => void)[] = [
          () => verifyConsistency(headOf(older), headOf(size), [...proof, Buffer.alloc(32)]),
          () => verifyConsistency({ size: older, root: Buffer.alloc(32) }, headOf(size), proof),
          () => verifyConsistency({ size: size + 1, root: Buffer.alloc(32) }, headOf(size), proof),
        ];
        if (older > 0)
          wrong.push(() => verifyConsistency(headOf(older), { size, root: Buffer.alloc(32) }, proof));
        if (proof.length > 0) {
          wrong.push(
            () => verifyConsistency(headOf(older), headOf(size), []),
            () => verifyConsistency(headOf(older), headOf(size), proof.slice(1)),
            () => verifyConsistency(headOf(older), headOf(size), proof.slice(0, -1)),
          );
        }
        for (const attempt of wrong) expect(attempt).toThrow(refusal('CONSISTENCY_PROOF_INVALID'));
      }
    }
  });

  it('is refused for an empty tree whose root is not the hash of nothing', () => {
    const empty = { size: 0, root: Buffer.alloc(32) };
    for (const older of [empty, headOf(0)])
      expect(() => verifyConsistency(older, empty, [])).toThrow(refusal('CONSISTENCY_PROOF_INVALID'));
  });

  it('ends with the numbers of the largest trees', () => {
    const [older, newer] = [
      { size: 2 ** 52 + 1, root: roots[1] },
      { size: 2 ** 53 - 1, root: roots[2] },
    ];
    const proof = Array.from({ length: 53 }, () => Buffer.alloc(32));
    expect(() =>
      verifyConsistency({ ...older, root: Buffer.alloc(32) }, { ...newer, root: Buffer.alloc(32) }, proof),
    ).toThrow(LogError);
  });
});
