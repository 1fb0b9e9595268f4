import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  addDeltas,
  aggregate,
  type CeremonyPackage,
  commit,
  createGenerationTerms,
  createRefreshTerms,
  createRepairTerms,
  createReshareTerms,
  dealGroup,
  dealTo,
  decodeGroup,
  decodePackage,
  encodePackage,
  enrolSigner,
  finishDealing,
  finishRepair,
  hashTranscript,
  nobleSuites,
  type NonceCommitments,
  type SecretPart,
  type SignatureShare,
  signShare,
  startDealing,
  startRepair,
  type Terms,
  verifyPackages,
  verifyRepairPackages,
} from '../../../shared/frost/index.ts';
import {
  CONTEXT,
  generate,
  hex,
  type Holders,
  MESSAGE,
  refresh,
  refusal,
  seededRandom,
  shareOf,
  sign,
  startAll,
  TYPES,
} from './support.ts';

const random = seededRandom('hostile');
const SIGNERS = [1, 2, 3, 4, 5];

/** Encodings that are no elements, by the field's own numbers: RFC 8032, RFC 9496, SEC 2, FIPS 186-5. */
const NO_ELEMENTS: Readonly<Record<ShareType, readonly string[]>> = {
  'frost-ed25519': [
    // The points of small order (the identity first), one of mixed order, y not reduced, off the curve, lengths.
    ...ED25519_TORSION_SUBGROUP,
    ed25519.Point.BASE.add(ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[3] ?? '')).toHex(),
    `ee${'ff'.repeat(30)}7f`,
    'ff'.repeat(32),
    `02${'00'.repeat(31)}`,
    '58'.concat('66'.repeat(30)),
    `58${'66'.repeat(31)}00`,
  ],
  'frost-ristretto255': [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    `00${'ff'.repeat(31)}`,
    `ed${'ff'.repeat(30)}7f`,
    '26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371',
    'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d7600',
  ],
  'frost-p256': [
    '00',
    '00'.repeat(33),
    p256.Point.BASE.toHex(false),
    `04${p256.Point.BASE.toHex(true).slice(2)}`,
    `02${'ff'.repeat(32)}`,
    `02${'00'.repeat(31)}01`,
  ],
  'frost-secp256k1-taproot': [
    '00',
    '00'.repeat(33),
    secp256k1.Point.BASE.toHex(false),
    `05${secp256k1.Point.BASE.toHex(true).slice(2)}`,
    secp256k1.Point.BASE.toHex(true).slice(2),
    `02${'ff'.repeat(32)}`,
    `02${'00'.repeat(31)}05`,
  ],
};

function deal(type: ShareType, threshold = 3): Holders {
  return dealGroup(nobleSuites[type], { epoch: 0, threshold, signers: SIGNERS }, random);
}

describe.each(TYPES)('signing with %s', (type) => {
  const suite = nobleSuites[type];
  const { scalars } = suite.group;
  const holders = deal(type);
  const { group } = holders;
  const quorum = [1, 3, 4];

  function start(signers = quorum) {
    const entries = signers.map((participant) => ({
      participant,
      nonces: commit(suite, participant, shareOf(holders, participant), random),
    }));
    const list = entries.map(({ nonces }) => nonces.commitments);
    const signAs = (participant: number, given: readonly NonceCommitments[] = list, message = MESSAGE) => {
      const entry = entries.find((each) => each.participant === participant);
      if (entry === undefined) throw new RangeError('no such signer');
      return {
        participant,
        signatureShare: signShare(
          { group, participant, share: shareOf(holders, participant) },
          entry.nonces,
          given,
          message,
        ),
      };
    };
    return { entries, list, signAs };
  }
  const change = (list: readonly NonceCommitments[], participant: number, values: object) =>
    list.map((each) => (each.participant === participant ? { ...each, ...values } : each));

  it.each(NO_ELEMENTS[type])('names the signer whose commitment is no element: %s', (text) => {
    const { list, signAs } = start();
    const bad = change(change(list, 3, { hiding: hex(text) }), 4, { binding: hex(text) });
    expect(refusal(() => signAs(1, bad))).toBe('NONCE_COMMITMENTS_INVALID 3,4');
    expect(refusal(() => aggregate(group, bad, MESSAGE, []))).toBe('NONCE_COMMITMENTS_INVALID 3,4');
  });

  it('refuses lists with strangers, repeated, disordered, too few or malformed signers', () => {
    const lists = (list: NonceCommitments[]) => {
      const [one, three, four] = list;
      if (one === undefined || three === undefined || four === undefined) throw new RangeError('three');
      const numbered = (participant: number) => [one, three, { ...four, participant }];
      return [
        [one, three],
        [one, four, three],
        [one, one, three],
        [one, three, three, four],
        numbered(0),
        numbered(-4),
        numbered(6),
        numbered(3.5),
        numbered(Number.NaN),
        numbered(65_536),
        [],
      ];
    };
    for (const [index] of lists(start().list).entries()) {
      const { list, signAs } = start();
      const given = lists(list)[index] ?? [];
      expect(refusal(() => signAs(1, given))).toMatch(/^(PARTICIPANTS_INVALID|OWN_COMMITMENTS_ALTERED)/);
      expect(refusal(() => aggregate(group, given, MESSAGE, []))).toBe('PARTICIPANTS_INVALID');
    }
  });

  it('refuses a list in which its own commitments are missing or altered, and burns the nonces', () => {
    const other = commit(suite, 1, shareOf(holders, 1), random).commitments;
    const alterations = (list: NonceCommitments[]) => [
      list.slice(1),
      change(list, 1, { hiding: other.hiding }),
      change(list, 1, { binding: other.binding }),
      change(list, 1, { hiding: list[0]?.binding, binding: list[0]?.hiding }),
      change(list, 1, { hiding: list[0]?.hiding.subarray(1) }),
    ];
    for (const [index] of alterations(start().list).entries()) {
      const { list, signAs, entries } = start();
      expect(refusal(() => signAs(1, alterations(list)[index]))).toBe('OWN_COMMITMENTS_ALTERED');
      expect(entries[0]?.nonces.hiding).toEqual(new Uint8Array(32));
      expect(refusal(() => signAs(1))).toBe('NONCES_SPENT');
    }
  });

  it('refuses signers with one commitment between them, or with one for both nonces', () => {
    const { list, signAs } = start();
    const copied = change(list, 4, { hiding: list[1]?.hiding, binding: list[1]?.binding });
    expect(refusal(() => signAs(1, copied))).toBe('NONCE_COMMITMENTS_INVALID 3,4');
    const again = start();
    const twice = change(again.list, 3, { binding: again.list[1]?.hiding });
    expect(refusal(() => again.signAs(1, twice))).toBe('NONCE_COMMITMENTS_INVALID 3');
  });

  it('signs once with the same nonces', () => {
    const { signAs } = start();
    signAs(3);
    expect(refusal(() => signAs(3))).toBe('NONCES_SPENT');
  });

  it('names all whose shares are missing, repeated, unasked, malformed, out of range or wrong', () => {
    const { list, signAs } = start([1, 2, 3, 4, 5]);
    const shares: SignatureShare[] = [1, 2, 3, 4, 5].map((signer) => signAs(signer));
    const attempt = (values: typeof shares) => refusal(() => aggregate(group, list, MESSAGE, values));
    const withValue = (signatureShare: Uint8Array, ...signers: number[]) =>
      shares.map((each) => (signers.includes(each.participant) ? { ...each, signatureShare } : each));
    const order = scalars.fromNumber(scalars.order - 1n);
    order[scalars.isLittleEndian ? 0 : 31] = (order[scalars.isLittleEndian ? 0 : 31] ?? 0) + 1;
    expect(attempt(shares)).toBe('none');
    for (const value of [order, hex('ff'.repeat(32)), new Uint8Array(32), new Uint8Array(31), hex('')])
      expect(attempt(withValue(value, 2, 5))).toBe('SIGNATURE_SHARES_INVALID 2,5');
    expect(attempt(withValue(shares[0]?.signatureShare ?? order, 3))).toBe('SIGNATURE_SHARES_INVALID 3');
    expect(attempt(shares.slice(0, 3))).toBe('SIGNATURE_SHARES_INVALID 4,5');
    expect(attempt([...shares, ...shares.slice(0, 1)])).toBe('SIGNATURE_SHARES_INVALID 1');
    expect(attempt([...shares, { participant: 9, signatureShare: scalars.fromNumber(1) }])).toBe(
      'SIGNATURE_SHARES_INVALID 9',
    );
    // One that is out of range beside one that is wrong.
    const both = withValue(order, 2).map((each) =>
      each.participant === 4 ? { ...each, signatureShare: scalars.fromNumber(1) } : each,
    );
    expect(attempt(both)).toBe('SIGNATURE_SHARES_INVALID 2,4');
  });

  it('names those who signed another message, another list, or with a share of another epoch or group', () => {
    const { list, signAs } = start([1, 2, 3, 4]);
    const shares = [1, 2, 3].map((signer) => signAs(signer));
    const other = signAs(4, list, hex('00'));
    expect(refusal(() => aggregate(group, list, MESSAGE, [...shares, other]))).toBe(
      'SIGNATURE_SHARES_INVALID 4',
    );
    const shorter = start([1, 2, 3, 4]);
    const values = [1, 2, 3].map((signer) => shorter.signAs(signer));
    const onOther = shorter.signAs(4, shorter.list.slice(1));
    expect(refusal(() => aggregate(group, shorter.list, MESSAGE, [...values, onOther]))).toBe(
      'SIGNATURE_SHARES_INVALID 4',
    );
    const now = refresh(holders, random);
    const stale = new Map([...now.shares, [2, shareOf(holders, 2)], [5, shareOf(holders, 5)]] as const);
    expect(refusal(() => sign(now.group, stale, SIGNERS, random))).toBe('SIGNATURE_SHARES_INVALID 2,5');
    const stranger = new Map([...holders.shares, [3, shareOf(deal(type), 3)]] as const);
    expect(refusal(() => sign(group, stranger, quorum, random))).toBe('SIGNATURE_SHARES_INVALID 3');
  });

  it('makes nothing of fewer shares than the threshold, whatever the threshold is said to be', () => {
    const lower = decodeGroup(suite, { ...group, threshold: 2, commitments: group.commitments.slice(0, 2) });
    expect(refusal(() => sign(group, holders.shares, [1, 3], random))).toBe('PARTICIPANTS_INVALID');
    expect(refusal(() => sign(lower, holders.shares, [1, 3], random))).toBe('SIGNATURE_SHARES_INVALID 1,3');
  });

  it('refuses groups of another degree, threshold, type, order or with commitments that are no elements', () => {
    const plain = { ...group };
    const other = type === 'frost-ed25519' ? 'frost-ristretto255' : 'frost-ed25519';
    const [first = MESSAGE] = plain.commitments;
    for (const values of [
      { threshold: 2 },
      { threshold: 4 },
      { threshold: 1, commitments: [first] },
      { threshold: 6 },
      { threshold: 2.5 },
      { type: other as ShareType },
      { epoch: -1 },
      { epoch: 2 ** 32 },
      { signers: [1, 2] },
      { signers: [0, 1, 2, 3] },
      { signers: [1, 1, 2, 3] },
      { signers: [2, 1, 3] },
      { signers: [1, 2, 65_536] },
      { signers: Array.from({ length: 256 }, (_, index) => index + 1) },
      ...NO_ELEMENTS[type].map((text) => ({ commitments: plain.commitments.with(1, hex(text)) })),
    ]) {
      expect(refusal(() => decodeGroup(suite, { ...plain, ...values }))).toBe('GROUP_INVALID');
    }
    expect(refusal(() => decodeGroup(suite, plain))).toBe('none');
  });
});

describe.each(TYPES)('a ceremony of %s', (type) => {
  const suite = nobleSuites[type];
  const { group: curve } = suite;
  const old = generate(type, 2, [1, 2, 3], random);
  const ceremonies = {
    generate: createGenerationTerms(suite, { threshold: 2, signers: [1, 2, 3] }, CONTEXT),
    refresh: createRefreshTerms(old.group, [1, 2, 3], CONTEXT),
    reshare: createReshareTerms(old.group, [1, 2, 3], { threshold: 2, signers: [2, 3, 7] }, CONTEXT),
  };
  const replace = (packages: readonly CeremonyPackage[], sender: number, values: Partial<CeremonyPackage>) =>
    packages.map((each) => (each.sender === sender ? { ...each, ...values } : each));

  describe.each(['generate', 'refresh', 'reshare'] as const)('that is to %s', (kind) => {
    const terms = ceremonies[kind];
    const dealers = startAll(terms, random, old);
    const packages = dealers.map((dealer) => dealer.package);
    const verify = (list: readonly CeremonyPackage[]) => refusal(() => verifyPackages(terms, list));
    const [one, two, three] = packages;
    if (one === undefined || two === undefined || three === undefined) throw new RangeError('three');
    const partsFor = (receiver: number): SecretPart[] =>
      dealers.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, receiver) }));
    const finish = (receiver: number, parts = partsFor(receiver)) =>
      kind === 'refresh'
        ? finishDealing(verifyPackages(terms, packages), receiver, parts, shareOf(old, receiver))
        : finishDealing(verifyPackages(terms, packages), receiver, parts);

    it('names every dealer whose package is missing, repeated, unasked or of other terms', () => {
      expect(verify(packages)).toBe('none');
      expect(verify([one])).toBe('PACKAGE_INVALID 2,3');
      expect(verify([one, two, two, three])).toBe('PACKAGE_INVALID 2');
      expect(verify([...packages, { ...one, sender: 9 }])).toBe('PACKAGE_INVALID 9');
      expect(verify(replace(packages, 2, { terms: new Uint8Array(48) }))).toBe('PACKAGE_INVALID 2');
      expect(verify(replace(packages, 3, { kind: 'repair' }))).toBe('PACKAGE_INVALID 3');
      // A package of another dealer under one's own number: the proofs name their maker.
      expect(verify(replace(packages, 2, { commitments: one.commitments, proofs: one.proofs }))).toBe(
        'PACKAGE_INVALID 2',
      );
    });

    it('names every dealer of a polynomial of another degree, or without valid proofs', () => {
      const extra = one.commitments[0] ?? MESSAGE;
      expect(
        verify(
          replace(replace(packages, 1, { commitments: [...one.commitments, extra] }), 3, {
            commitments: three.commitments.slice(1),
          }),
        ),
      ).toBe('PACKAGE_INVALID 1,3');
      const [proof = MESSAGE] = two.proofs;
      const flipped = Uint8Array.from(proof, (byte, index) => (index === proof.length - 2 ? byte ^ 1 : byte));
      for (const proofs of [
        [],
        [proof, proof],
        [flipped],
        [proof.subarray(1)],
        [new Uint8Array(proof.length)],
      ])
        expect(verify(replace(packages, 2, { proofs }))).toBe('PACKAGE_INVALID 2');
    });

    it.each(NO_ELEMENTS[type])('names every dealer whose commitment is no element: %s', (text) => {
      const list = replace(packages, 3, { commitments: [...three.commitments.slice(0, -1), hex(text)] });
      expect(verify(list)).toBe('PACKAGE_INVALID 3');
    });

    it('refuses a rogue key: a commitment that cancels the others is no one’s to prove', () => {
      const last = (message: CeremonyPackage) =>
        curve.decode(message.commitments.at(-1) ?? MESSAGE) ??
        curve.multiplyBase(curve.scalars.fromNumber(1));
      const rogue = curve.encode(curve.negate(curve.add(last(one), last(two))));
      const index = kind === 'generate' ? 0 : three.commitments.length - 1;
      expect(verify(replace(packages, 3, { commitments: three.commitments.with(index, rogue) }))).toBe(
        'PACKAGE_INVALID 3',
      );
    });

    it('names every dealer whose part is missing, repeated, unasked, out of range or wrong', () => {
      const parts = partsFor(2);
      const [first] = parts;
      if (first === undefined) throw new RangeError('a part');
      expect(refusal(() => finish(2, parts))).toBe('none');
      expect(refusal(() => finish(2, parts.slice(1)))).toBe('SECRET_PART_INVALID 1');
      expect(refusal(() => finish(2, [...parts, first]))).toBe('SECRET_PART_INVALID 1');
      expect(refusal(() => finish(2, [...parts, { ...first, sender: 8 }]))).toBe('SECRET_PART_INVALID 8');
      const wrong = curve.scalars.fromNumber(5);
      const change = (value: Uint8Array, ...senders: number[]) =>
        parts.map((part) => (senders.includes(part.sender) ? { ...part, value } : part));
      expect(refusal(() => finish(2, change(wrong, 1, 3)))).toBe('SECRET_PART_INVALID 1,3');
      expect(refusal(() => finish(2, change(hex('ff'.repeat(32)), 3)))).toBe('SECRET_PART_INVALID 3');
      expect(refusal(() => finish(2, change(new Uint8Array(31), 1)))).toBe('SECRET_PART_INVALID 1');
      // The parts of another receiver.
      expect(refusal(() => finish(2, partsFor(3)))).toBe('SECRET_PART_INVALID 1,2,3');
      expect(refusal(() => finish(9))).toMatch(/^PARTICIPANTS_INVALID/);
    });

    it('gives two participants other hashes where a dealer sent them other packages', () => {
      const again = startAll(terms, random, old)[2]?.package;
      if (again === undefined) throw new RangeError('a dealer');
      const seen = verifyPackages(terms, packages);
      const shown = verifyPackages(terms, [one, two, again]);
      expect(seen.transcript).not.toEqual(shown.transcript);
      expect(verifyPackages(terms, packages.toReversed()).transcript).toEqual(seen.transcript);
    });

    it('takes packages by their one encoding alone', () => {
      const bytes = encodePackage(suite, two);
      expect(decodePackage(suite, kind, bytes)).toEqual(two);
      for (let length = 0; length < bytes.length; length += 1)
        expect(refusal(() => decodePackage(suite, kind, bytes.subarray(0, length)))).toBe(
          'PACKAGE_MALFORMED',
        );
      for (const other of [
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([bytes, Buffer.alloc(1 << 16)]),
        Buffer.from(bytes).fill(0, 0, 1),
      ])
        expect(refusal(() => decodePackage(suite, kind, other))).toBe('PACKAGE_MALFORMED');
      expect(refusal(() => decodePackage(suite, 'repair', bytes))).toBe('PACKAGE_MALFORMED');
      for (const stranger of TYPES.filter((each) => each !== type))
        expect(refusal(() => decodePackage(nobleSuites[stranger], kind, bytes))).toBe('PACKAGE_MALFORMED');
      expect(() => encodePackage(suite, { ...two, proofs: [new Uint8Array(1)] })).toThrow(RangeError);
    });

    it('reads every change of a package as another package or none', () => {
      const bytes = encodePackage(suite, two);
      for (let index = 0; index < bytes.length; index += 7) {
        const changed = Buffer.from(bytes);
        changed[index] = (changed[index] ?? 0) ^ 0x10;
        const outcome = refusal(() => {
          const message = decodePackage(suite, kind, changed);
          expect(encodePackage(suite, message).equals(changed)).toBe(true);
          const { transcript } = verifyPackages(terms, [one, message, three]);
          // No proof is of the other coefficients of a generation: their parts and the transcript's hash tell.
          expect(kind).toBe('generate');
          expect(transcript).not.toEqual(verifyPackages(terms, packages).transcript);
        });
        expect(outcome).toMatch(kind === 'generate' ? /^(PACKAGE_|none)/ : /^PACKAGE_/);
      }
    });
  });

  it('refuses a dealer of a reshare that deals another value than its share', () => {
    const terms = ceremonies.reshare;
    const stranger = generate(type, 2, [1, 2, 3], random);
    expect(refusal(() => startDealing(terms, 2, random, shareOf(stranger, 2)))).toBe('GROUP_SHARE_INVALID 2');
    const dealers = startAll(terms, random, old);
    const otherTerms = createReshareTerms(
      stranger.group,
      [1, 2, 3],
      { threshold: 2, signers: [2, 3, 7] },
      CONTEXT,
    );
    const rogue = startDealing({ ...otherTerms, digest: terms.digest }, 2, random, shareOf(stranger, 2));
    const packages = dealers.map((dealer) => (dealer.participant === 2 ? rogue.package : dealer.package));
    expect(refusal(() => verifyPackages(terms, packages))).toBe('PACKAGE_INVALID 2');
  });

  it('refuses packages for another dealer set, epoch, group or session', () => {
    const quorum = { threshold: 2, signers: [2, 3, 7] };
    const next = refresh(old, random);
    const stranger = generate(type, 2, [1, 2, 3], random);
    const packages = startAll(ceremonies.reshare, random, old).map((dealer) => dealer.package);
    for (const terms of [
      createReshareTerms(old.group, [1, 2], quorum, CONTEXT),
      createReshareTerms(old.group, [1, 2, 3], { ...quorum, threshold: 3 }, CONTEXT),
      createReshareTerms(old.group, [1, 2, 3], { threshold: 2, signers: [2, 3] }, CONTEXT),
      createReshareTerms(next.group, [1, 2, 3], quorum, CONTEXT),
      createReshareTerms(stranger.group, [1, 2, 3], quorum, CONTEXT),
      createReshareTerms(old.group, [1, 2, 3], quorum, hex('00')),
    ])
      expect(refusal(() => verifyPackages(terms, packages))).toMatch(/^PACKAGE_INVALID 1,2/);
  });

  it('refuses an old share of another epoch in a refresh', () => {
    const next = refresh(old, random);
    const terms = createRefreshTerms(next.group, [1, 2, 3], CONTEXT);
    const dealers = startAll(terms, random);
    const verified = verifyPackages(
      terms,
      dealers.map((dealer) => dealer.package),
    );
    const parts = dealers.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, 1) }));
    expect(refusal(() => finishDealing(verified, 1, parts, shareOf(old, 1)))).toBe('GROUP_SHARE_INVALID 1');
    expect(refusal(() => finishDealing(verified, 1, parts, shareOf(next, 1)))).toBe('none');
  });

  it('refuses terms with strangers, too few, repeated or disordered participants', () => {
    const quorum = { threshold: 2, signers: [1, 2] };
    for (const members of [[1], [1, 4], [2, 1], [1, 1], [0, 1], [], [1, 2.5]]) {
      expect(refusal(() => createRefreshTerms(old.group, members, CONTEXT))).toBe('PARTICIPANTS_INVALID');
      expect(refusal(() => createReshareTerms(old.group, members, quorum, CONTEXT))).toBe(
        'PARTICIPANTS_INVALID',
      );
      expect(refusal(() => createRepairTerms(old.group, members, 3, CONTEXT))).toBe('PARTICIPANTS_INVALID');
    }
    for (const target of [0, 1, 65_536, -3, 1.5])
      expect(refusal(() => createRepairTerms(old.group, [1, 2], target, CONTEXT))).toBe(
        'PARTICIPANTS_INVALID',
      );
    for (const bad of [
      { threshold: 1, signers: [1, 2] },
      { threshold: 3, signers: [1, 2] },
      { threshold: 2, signers: [0, 1] },
      { threshold: 2, signers: [1, 1, 2] },
    ]) {
      expect(refusal(() => createGenerationTerms(suite, bad, CONTEXT))).toBe('GROUP_INVALID');
      expect(refusal(() => createReshareTerms(old.group, [1, 2], bad, CONTEXT))).toBe('GROUP_INVALID');
    }
  });

  it('names every helper of a repair whose package, delta or sigma is wrong', () => {
    const terms: Terms<'repair'> = createRepairTerms(old.group, [1, 3], 2, CONTEXT);
    const one = startRepair(terms, 1, shareOf(old, 1), random);
    const three = startRepair(terms, 3, shareOf(old, 3), random);
    const packages = [one.package, three.package];
    const verify = (list: readonly CeremonyPackage[]) => refusal(() => verifyRepairPackages(terms, list));
    expect(verify(packages)).toBe('none');
    expect(verify(packages.slice(1))).toBe('PACKAGE_INVALID 1');
    expect(verify(replace(packages, 3, { commitments: one.package.commitments }))).toBe('PACKAGE_INVALID 3');
    expect(verify(replace(packages, 3, { commitments: three.package.commitments.slice(1) }))).toBe(
      'PACKAGE_INVALID 3',
    );
    expect(verify(replace(packages, 1, { proofs: [new Uint8Array(suite.signatureBytes)] }))).toBe(
      'PACKAGE_INVALID 1',
    );
    for (const text of NO_ELEMENTS[type])
      expect(verify(replace(packages, 1, { commitments: one.package.commitments.with(0, hex(text)) }))).toBe(
        'PACKAGE_INVALID 1',
      );
    expect(refusal(() => startRepair(terms, 3, shareOf(old, 1), random))).toBe('GROUP_SHARE_INVALID 3');

    const verified = verifyRepairPackages(terms, packages);
    const partsFor = (helper: number) =>
      [one, three].map(({ deltas, package: { sender } }) => ({
        sender,
        value: deltas.get(helper) ?? new Uint8Array(0),
      }));
    const wrong = curve.scalars.fromNumber(5);
    expect(refusal(() => addDeltas(verified, 1, partsFor(3)))).toBe('SECRET_PART_INVALID 1,3');
    expect(refusal(() => addDeltas(verified, 1, partsFor(1).slice(1)))).toBe('SECRET_PART_INVALID 1');
    expect(refusal(() => addDeltas(verified, 1, partsFor(1).with(1, { sender: 3, value: wrong })))).toBe(
      'SECRET_PART_INVALID 3',
    );
    const sigmas = [1, 3].map((helper) => ({
      sender: helper,
      value: addDeltas(verified, helper, partsFor(helper)),
    }));
    expect(refusal(() => finishRepair(verified, sigmas.with(0, { sender: 1, value: wrong })))).toBe(
      'SECRET_PART_INVALID 1',
    );
    expect(refusal(() => finishRepair(verified, sigmas.slice(1)))).toBe('SECRET_PART_INVALID 1');
    expect(Buffer.from(finishRepair(verified, sigmas)).equals(shareOf(old, 2))).toBe(true);
    expect(hashTranscript(terms, packages)).toEqual(verified.transcript);
    expect(refusal(() => enrolSigner(old.group, 2))).toBe('PARTICIPANTS_INVALID 2');
  });
});
