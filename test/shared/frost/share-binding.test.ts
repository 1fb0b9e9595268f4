import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decodeGroup,
  decodeSharePackage,
  digestShareGroup,
  encodeSharePackage,
  type FrostGroup,
  nobleSuites,
} from '../../../shared/frost/index.ts';
import { generate, refresh, seededRandom, toHex, TYPES } from './support.ts';

const NUMBERS = {
  'frost-ed25519': 1,
  'frost-secp256k1-taproot': 2,
  'frost-p256': 3,
  'frost-ristretto255': 4,
} as const;
const random = seededRandom('share-binding');

describe.each(TYPES)('the bytes of a group of %s', (type) => {
  const made = generate(type, 2, [1, 2, 3], random).group;
  const { threshold, commitments } = made;
  const dealt: FrostGroup = { type, epoch: 0, threshold, signers: [1, 2, 3], commitments };
  const elements = Buffer.concat(commitments);
  const sha384 = (...parts: (string | Uint8Array)[]) => {
    const hash = createHash('sha384');
    for (const part of parts) hash.update(part);
    return hash.digest('hex');
  };

  it('are of format 1 as a client deals it, and of format 2 otherwise', () => {
    const number = NUMBERS[type];
    expect(digestShareGroup(dealt)).toBe(
      sha384('holdfast-share-group/1\0', Uint8Array.of(number, 2, 3), elements),
    );
    expect(toHex(encodeSharePackage(dealt, 3))).toBe(
      Buffer.concat([
        Buffer.from('holdfast-share-package/1\0'),
        Uint8Array.of(number, 3, 2, 3),
        elements,
      ]).toString('hex'),
    );
    const other = { ...dealt, epoch: 0x01020304, signers: [2, 3, 300] };
    const quorum = Uint8Array.of(1, 2, 3, 4, 2, 3, 0, 2, 0, 3, 1, 44);
    expect(digestShareGroup(other)).toBe(
      sha384('holdfast-share-group/2\0', Uint8Array.of(number), quorum, elements),
    );
    expect(toHex(encodeSharePackage(other, 300))).toBe(
      Buffer.concat([
        Buffer.from('holdfast-share-package/2\0'),
        Uint8Array.of(number, 1, 44),
        quorum,
        elements,
      ]).toString('hex'),
    );
  });

  it('come back as the same group, and none of their beginnings does', () => {
    for (const group of [dealt, made, { ...dealt, epoch: 7 }, { ...dealt, signers: [1, 2, 4] }]) {
      const bytes = encodeSharePackage(group, 2);
      const decoded = decodeSharePackage(type, Buffer.concat([bytes, Uint8Array.of(9)]));
      expect(decoded?.participant).toBe(2);
      expect(decoded?.rest).toEqual(Buffer.from([9]));
      expect(decodeGroup(nobleSuites[type], decoded?.group ?? dealt)).toEqual(
        decodeGroup(nobleSuites[type], group),
      );
      for (let length = 0; length < bytes.length; length += 1)
        expect(decodeSharePackage(type, bytes.subarray(0, length))).toBeUndefined();
      for (const stranger of TYPES.filter((each) => each !== type))
        expect(decodeSharePackage(stranger, bytes)).toBeUndefined();
    }
  });

  it('are not taken in another spelling: a dealt group in format 2, signers repeated or in disorder', () => {
    const encode = (epoch: number, ...signers: number[]) =>
      Buffer.concat([
        Buffer.from('holdfast-share-package/2\0'),
        Uint8Array.of(NUMBERS[type], 0, 1, 0, 0, 0, epoch, 2, signers.length),
        Uint8Array.from(signers.flatMap((signer) => [0, signer])),
        elements,
      ]);
    expect(decodeSharePackage(type, encode(1, 1, 2, 3))).toBeDefined();
    for (const bytes of [encode(0, 1, 2, 3), encode(1, 1, 3, 2), encode(1, 1, 1, 2), encode(1, 0, 1, 2)])
      expect(decodeSharePackage(type, bytes)).toBeUndefined();
  });

  it('differ for every epoch, quorum and commitment', () => {
    const next = refresh(generate(type, 2, [1, 2, 3], random), random).group;
    const groups: FrostGroup[] = [
      dealt,
      made,
      next,
      { ...dealt, epoch: 2 },
      { ...dealt, threshold: 3 },
      { ...dealt, signers: [1, 2] },
      { ...dealt, signers: [1, 2, 4] },
      { ...dealt, commitments: commitments.toReversed() },
    ];
    expect(new Set(groups.map((group) => digestShareGroup(group))).size).toBe(groups.length);
  });
});
