import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as libsecp256k1 from '@bitcoinerlab/secp256k1';
import type { FROST, FrostPublic } from '@noble/curves/abstract/frost.js';
import { ed25519, ed25519_FROST, ristretto255_FROST } from '@noble/curves/ed25519.js';
import { p256_FROST } from '@noble/curves/nist.js';
import { schnorr, schnorr_FROST } from '@noble/curves/secp256k1.js';
import { HDKey } from '@scure/bip32';
import { p2tr } from '@scure/btc-signer';
import { describe, expect, it } from 'vitest';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  adjustGroup,
  adjustShare,
  aggregate,
  commit,
  createTaprootTweak,
  dealGroup,
  decodeGroup,
  AGGREGATE_CHAIN_CODE,
  deriveChildKey,
  encodeExtendedKey,
  nobleSuites,
  signShare,
  verifyPackages,
  verifySignature,
  createGenerationTerms,
  dealTo,
  finishDealing,
  startDealing,
} from '../../../shared/frost/index.ts';
import {
  CONTEXT,
  generate,
  hex,
  MESSAGE,
  refusal,
  seededRandom,
  shareOf,
  sign,
  toHex,
  TYPES,
} from './support.ts';

const NOBLE: Readonly<Record<ShareType, FROST>> = {
  'frost-ed25519': ed25519_FROST,
  'frost-ristretto255': ristretto255_FROST,
  'frost-p256': p256_FROST,
  'frost-secp256k1-taproot': schnorr_FROST,
};
const random = seededRandom('independent');

/** Whether programs that share nothing with the suites take a signature; each key and nonce has an odd y half of the time. */
const VERIFIERS: Readonly<
  Record<ShareType, readonly ((signature: Uint8Array, message: Uint8Array, key: Uint8Array) => boolean)[]>
> = {
  'frost-ed25519': [
    (signature, message, key) =>
      verify(
        null,
        message,
        createPublicKey({ key: Buffer.from(key), format: 'raw-public', asymmetricKeyType: 'ed25519' }),
        signature,
      ),
    (signature, message, key) => ed25519.verify(signature, message, key, { zip215: false }),
    (signature, message, key) => ed25519_FROST.verify(signature, message, key),
  ],
  'frost-ristretto255': [
    (signature, message, key) => ristretto255_FROST.verify(signature, message, new Uint8Array(key)),
  ],
  'frost-p256': [(signature, message, key) => p256_FROST.verify(signature, message, new Uint8Array(key))],
  'frost-secp256k1-taproot': [
    (signature, message, key) => schnorr.verify(signature, message, key.subarray(1)),
    (signature, message, key) => libsecp256k1.verifySchnorr(message, key.subarray(1), signature),
    (signature, message, key) => schnorr_FROST.verify(signature, message, new Uint8Array(key)),
  ],
};

describe.each(TYPES)('signatures of %s', (type) => {
  it.each([1, 2, 3, 4, 5, 6])('verify in other software (key %i)', () => {
    const holders = generate(type, 2, [2, 5, 9], random);
    const [key = MESSAGE] = holders.group.commitments;
    for (const signers of [
      [2, 5],
      [5, 9],
      [2, 5, 9],
    ]) {
      const signature = sign(holders.group, holders.shares, signers, random);
      const ours = (signed: Uint8Array, message: Uint8Array, publicKey: Uint8Array) =>
        verifySignature(nobleSuites[type], publicKey, message, signed);
      for (const verifier of [...VERIFIERS[type], ours]) {
        expect(verifier(signature, MESSAGE, key)).toBe(true);
        const flipped = Uint8Array.from(signature, (byte, index) => (index === 40 ? byte ^ 1 : byte));
        expect(verifier(flipped, MESSAGE, key)).toBe(false);
      }
    }
  });
});

describe.each(TYPES)('a group of %s with signers by noble', (type) => {
  const suite = nobleSuites[type];
  const noble = NOBLE[type];
  const identify = (signer: number) => noble.Identifier.fromNumber(signer);
  const dealt = dealGroup(suite, { epoch: 0, threshold: 2, signers: [1, 2, 3] }, random);
  const { group } = dealt;
  const pub: FrostPublic = {
    signers: { min: 2, max: 3 },
    commitments: group.commitments.map((bytes) => new Uint8Array(bytes)),
    verifyingShares: Object.fromEntries(
      [1, 2, 3].map((signer) => [
        identify(signer),
        new Uint8Array(suite.group.encode(group.verifyingShare(signer))),
      ]),
    ),
  };

  it.each([
    [[1], [3]],
    [[2, 3], [1]],
    [[1], [2, 3]],
  ])('signs with our signers %j and its signers %j', (ours, theirs) => {
    const mine = ours.map((signer) => ({
      signer,
      nonces: commit(suite, signer, shareOf(dealt, signer), random),
    }));
    const its = theirs.map((signer) => {
      const secret = { identifier: identify(signer), signingShare: new Uint8Array(shareOf(dealt, signer)) };
      return { signer, secret, made: noble.commit(secret) };
    });
    const list = [
      ...mine.map(({ nonces }) => nonces.commitments),
      ...its.map(({ signer, made }) => ({
        participant: signer,
        hiding: made.commitments.hiding,
        binding: made.commitments.binding,
      })),
    ].toSorted((a, b) => a.participant - b.participant);
    const nobleList = list.map(({ participant, hiding, binding }) => ({
      identifier: identify(participant),
      hiding: new Uint8Array(hiding),
      binding: new Uint8Array(binding),
    }));
    const shares = [
      ...mine.map(({ signer, nonces }) => ({
        participant: signer,
        signatureShare: new Uint8Array(
          signShare({ group, participant: signer, share: shareOf(dealt, signer) }, nonces, list, MESSAGE),
        ),
      })),
      ...its.map(({ signer, secret, made }) => ({
        participant: signer,
        signatureShare: noble.signShare(secret as never, pub, made.nonces, nobleList as never, MESSAGE),
      })),
    ];
    const signature = aggregate(group, list, MESSAGE, shares);
    const values = Object.fromEntries(
      shares.map(({ participant, signatureShare }) => [identify(participant), signatureShare]),
    );
    expect(toHex(noble.aggregate(pub, nobleList as never, MESSAGE, values))).toBe(toHex(signature));
    for (const verifier of VERIFIERS[type])
      expect(verifier(signature, MESSAGE, group.commitments[0] ?? MESSAGE)).toBe(true);
  });

  it.each([1, 2, 3, 4])('is made by us and noble together (run %i)', () => {
    const terms = createGenerationTerms(suite, { threshold: 2, signers: [1, 2, 3] }, CONTEXT);
    const mine = startDealing(terms, 1, random);
    const signers = { min: 2, max: 3 };
    const its = [2, 3].map((signer) => noble.DKG.round1(identify(signer), signers));
    const myPackage = {
      identifier: identify(1),
      commitment: mine.package.commitments.map((bytes) => new Uint8Array(bytes)),
      proofOfKnowledge: new Uint8Array(mine.package.proofs[0] ?? MESSAGE),
    };
    const verified = verifyPackages(terms, [
      mine.package,
      ...its.map(({ public: { commitment, proofOfKnowledge } }, index) => ({
        kind: 'generate' as const,
        sender: index + 2,
        terms: terms.digest,
        commitments: commitment,
        proofs: [proofOfKnowledge],
      })),
    ]);
    const others = its.map((_, index) => [
      myPackage,
      ...its.filter((_each, other) => other !== index).map((each) => each.public),
    ]);
    const seconds = its.map(({ secret }, index) => noble.DKG.round2(secret, (others[index] ?? []) as never));
    const share = finishDealing(verified, 1, [
      { sender: 1, value: dealTo(mine, 1) },
      ...seconds.map((sent, index) => ({
        sender: index + 2,
        value: sent[identify(1)]?.signingShare ?? MESSAGE,
      })),
    ]);
    // noble, like the Zcash Foundation's crates, tweaks a generated taproot key; we leave that to whoever signs.
    const tweak = type === 'frost-secp256k1-taproot' && createTaprootTweak(verified.group, new Uint8Array(0));
    const expected = tweak ? adjustGroup(verified.group, tweak) : verified.group;
    for (const [index, { secret }] of its.entries()) {
      const key = noble.DKG.round3(secret, others[index] ?? [], [
        { identifier: identify(1), signingShare: new Uint8Array(dealTo(mine, index + 2)) },
        seconds[1 - index]?.[identify(index + 2)] ?? {},
      ] as never);
      expect(key.public.commitments.map((bytes) => toHex(bytes))).toEqual(
        expected.commitments.map((bytes) => toHex(bytes)),
      );
      expect(toHex(key.public.verifyingShares[identify(1)] ?? MESSAGE)).toBe(
        toHex(suite.group.encode(expected.verifyingShare(1))),
      );
    }
    const mineTweaked = tweak ? adjustShare(verified.group, share, tweak) : share;
    expect(suite.group.equals(suite.group.multiplyBase(mineTweaked), expected.verifyingShare(1))).toBe(true);
  });
});

describe('BIP-340', () => {
  const lines = readFileSync(join(import.meta.dirname, '../../vectors/frost/bip340.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));

  it.each(lines)('vector %s', (_index, _secret, key = '', _random, message = '', signature = '', result) => {
    const suite = nobleSuites['frost-secp256k1-taproot'];
    const publicKey = hex(`02${key}`);
    expect(verifySignature(suite, publicKey, hex(message), hex(signature))).toBe(result === 'TRUE');
  });
});

describe('children of a shared key (BIP-32)', () => {
  const type = 'frost-secp256k1-taproot';
  const suite = nobleSuites[type];

  it.each([1, 2, 3, 4, 5, 6])('are those of the whole key, with the same BIP-86 addresses (key %i)', () => {
    const root = HDKey.fromMasterSeed(random(32)).derive("m/86'/0'/0'");
    const { privateKey, chainCode } = root;
    if (privateKey === null || chainCode === null) throw new RangeError('a private key');
    const dealt = dealGroup(suite, { epoch: 0, threshold: 2, signers: [1, 2, 3] }, random, privateKey);
    for (const path of [[], [0, 0], [1, 7], [0, 2 ** 31 - 1], [3, 1, 4, 1, 5]]) {
      const whole = path.reduce((key, index) => key.deriveChild(index), root);
      const child = deriveChildKey(dealt.group, chainCode, path);
      const [publicKey = MESSAGE] = child.group.commitments;
      expect(toHex(publicKey)).toBe(toHex(whole.publicKey ?? MESSAGE));
      expect(toHex(child.chainCode)).toBe(toHex(whole.chainCode ?? MESSAGE));
      const tweak = createTaprootTweak(child.group, new Uint8Array(0));
      const output = adjustGroup(child.group, tweak);
      expect(toHex(output.commitments[0]?.subarray(1) ?? MESSAGE)).toBe(
        toHex(p2tr(new Uint8Array(whole.publicKey?.subarray(1) ?? [])).tweakedPubkey),
      );
      const shares = new Map(
        [...dealt.shares].map(([signer, share]) => [
          signer,
          adjustShare(child.group, adjustShare(dealt.group, share, child.adjustment), tweak),
        ]),
      );
      const signature = sign(output, shares, [1, 3], random);
      expect(schnorr.verify(signature, MESSAGE, output.commitments[0]?.subarray(1) ?? MESSAGE)).toBe(true);
    }
  });

  it('come from the extended public key that is shown of the group', () => {
    for (let round = 0; round < 20; round += 1) {
      const root = HDKey.fromMasterSeed(random(32));
      const { publicKey, chainCode } = root;
      if (publicKey === null || chainCode === null) throw new RangeError('a key');
      expect(encodeExtendedKey(publicKey, chainCode)).toBe(root.publicExtendedKey);
    }
  });

  it('have the chain code of BIP-328 where the key has none', () => {
    expect(toHex(AGGREGATE_CHAIN_CODE)).toBe(
      '868087ca02a6f974c4598924c36b57762d32cb45717167e300622c7167e38965',
    );
  });

  it('are refused hardened, without a chain code, and of keys that have none', () => {
    const { group } = generate(type, 2, [1, 2], random);
    const code = new Uint8Array(32);
    for (const index of [2 ** 31, -1, 0.5, Number.NaN, 2 ** 32])
      expect(refusal(() => deriveChildKey(group, code, [index]))).toBe('DERIVATION_INVALID');
    expect(refusal(() => deriveChildKey(group, code.subarray(1), [0]))).toBe('DERIVATION_INVALID');
    expect(
      refusal(() =>
        deriveChildKey(
          group,
          code,
          Array.from({ length: 256 }, () => 0),
        ),
      ),
    ).toBe('DERIVATION_INVALID');
    for (const other of TYPES.filter((each) => each !== type)) {
      const holders = generate(other, 2, [1, 2], random);
      expect(refusal(() => deriveChildKey(holders.group, code, [0]))).toBe('DERIVATION_UNSUPPORTED');
      expect(refusal(() => createTaprootTweak(holders.group, new Uint8Array(0)))).toBe(
        'DERIVATION_UNSUPPORTED',
      );
    }
    expect(refusal(() => createTaprootTweak(group, new Uint8Array(31)))).toBe('DERIVATION_INVALID');
  });
});

describe('an existing secret', () => {
  it.each(TYPES)('is dealt as the key of a group of %s, unless it is none', (type) => {
    const suite = nobleSuites[type];
    const { scalars } = suite.group;
    const secret = scalars.reduce(random(64));
    const quorum = { epoch: 0, threshold: 3, signers: [1, 4, 6, 7] };
    const dealt = dealGroup(suite, quorum, random, secret);
    const [key = MESSAGE] = dealt.group.commitments;
    expect(toHex(key)).toBe(toHex(suite.group.encode(suite.group.multiplyBase(secret))));
    expect(decodeGroup(suite, dealt.group)).toEqual(dealt.group);
    for (const bad of [new Uint8Array(32), new Uint8Array(31), hex('ff'.repeat(32))])
      expect(refusal(() => dealGroup(suite, quorum, random, bad))).toBe('GROUP_SHARE_INVALID');
  });
});
