import { describe, expect, it } from 'vitest';
import {
  addDeltas,
  adjustGroup,
  adjustShare,
  aggregate,
  commit,
  createGenerationTerms,
  createRefreshTerms,
  createRepairTerms,
  createTaprootTweak,
  type DecodedGroup,
  dealTo,
  finishDealing,
  finishRepair,
  nobleSuites,
  signShare,
  startDealing,
  startRepair,
  verifyPackages,
  verifyRepairPackages,
} from '../../../shared/frost/index.ts';
import { coefficientChallenge, prove } from '../../../shared/frost/ceremonies/proofs.ts';
import { CONTEXT, hex, type Holders, MESSAGE, seededRandom, shareOf, toHex, TYPES } from './support.ts';
import { createContainers, findZcashPeer } from './zcash-peer.ts';

const peer = findZcashPeer();
const random = seededRandom('zcash');
const SIGNERS = [1, 2, 3];
const THRESHOLD = 2;
/** The number of the crates' participant; ours are the others. */
const THEIRS = 2;
const OURS = [1, 3];

/** What the peer answers to each request, in hex. */
interface Responses {
  readonly 'generate-1': { readonly secret: string; readonly package: string };
  readonly 'refresh-1': Responses['generate-1'] & { readonly coefficients: readonly string[] };
  readonly 'generate-2': { readonly secret: string; readonly packages: Readonly<Record<string, string>> };
  readonly 'refresh-2': Responses['generate-2'];
  readonly 'generate-3': { readonly key: string; readonly public: string };
  readonly 'refresh-3': Responses['generate-3'];
  readonly commit: { readonly nonces: string; readonly commitments: string };
  readonly sign: string;
  readonly aggregate: string;
  readonly verify: string;
  readonly 'repair-1': Readonly<Record<string, string>>;
  readonly 'repair-2': string;
  readonly 'repair-3': string;
}

/** What is known after a ceremony: our shares, and the crates' key package. */
interface Mixed extends Holders {
  readonly key: string;
}

describe.each(TYPES)('a group of %s with a participant by the Zcash Foundation', (type) => {
  const suite = nobleSuites[type];
  const { group: curve } = suite;
  const containers = createContainers(type, curve.elementBytes, curve.scalars.isLittleEndian);
  const ask = <Name extends keyof Responses>(name: Name, values: object): Responses[Name] => {
    if (peer === undefined) throw new RangeError('no peer');
    return peer({ suite: type, do: name, ...values }) as Responses[Name];
  };
  const verifyingShare = (group: DecodedGroup, signer: number) =>
    toHex(curve.encode(group.verifyingShare(signer)));
  const keyOf = (group: DecodedGroup) => toHex(group.commitments[0] ?? MESSAGE);
  const publicPackage = (group: DecodedGroup) =>
    containers.publicPackage(
      group.signers.map((signer) => [signer, verifyingShare(group, signer)] as const),
      keyOf(group),
      group.threshold,
    );

  /** Asserts that both sides hold the same group, byte by byte. */
  function assertAgreed(
    group: DecodedGroup,
    theirs: { readonly key: string; readonly public: string },
  ): void {
    expect(theirs.public).toBe(publicPackage(group));
    const [, share = ''] = containers.openKeyPackage(theirs.key);
    expect(theirs.key).toBe(
      containers.keyPackage(THEIRS, share, verifyingShare(group, THEIRS), keyOf(group), THRESHOLD),
    );
    expect(curve.equals(curve.multiplyBase(hex(share)), group.verifyingShare(THEIRS))).toBe(true);
  }

  function generateTogether(): Mixed {
    const terms = createGenerationTerms(suite, { threshold: THRESHOLD, signers: SIGNERS }, CONTEXT);
    const mine = OURS.map((signer) => startDealing(terms, signer, random));
    const first = ask('generate-1', { id: THEIRS, n: 3, t: THRESHOLD });
    const opened = containers.openFirstPackage(first.package, THRESHOLD);
    const verified = verifyPackages(terms, [
      ...mine.map((dealer) => dealer.package),
      {
        kind: 'generate',
        sender: THEIRS,
        terms: terms.digest,
        commitments: opened.elements.map((each) => hex(each)),
        proofs: [hex(opened.proof)],
      },
    ]);
    const packages = Object.fromEntries(
      mine.map(({ participant, package: { commitments, proofs } }) => [
        participant,
        containers.firstPackage(
          commitments.map((each) => toHex(each)),
          toHex(proofs[0] ?? MESSAGE),
        ),
      ]),
    );
    const second = ask('generate-2', {
      secret: first.secret,
      packages,
    });
    const sent = Object.fromEntries(
      mine.map((dealer) => [dealer.participant, containers.secondPackage(toHex(dealTo(dealer, THEIRS)))]),
    );
    const theirs = ask('generate-3', {
      secret: second.secret,
      first: packages,
      second: sent,
    });
    // The crate for taproot tweaks what it generates for an output without scripts; then ours must, once.
    const tweak = type === 'frost-secp256k1-taproot' && createTaprootTweak(verified.group, new Uint8Array(0));
    const adopted = tweak ? adjustGroup(verified.group, tweak) : verified.group;
    assertAgreed(adopted, theirs);
    const shares = OURS.map((receiver) => {
      const share = finishDealing(verified, receiver, [
        ...mine.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, receiver) })),
        { sender: THEIRS, value: hex(containers.openSecondPackage(second.packages[receiver] ?? '')) },
      ]);
      return [receiver, tweak ? adjustShare(verified.group, share, tweak) : share] as const;
    });
    return { group: adopted, shares: new Map(shares), key: theirs.key };
  }

  function signTogether({ group, shares, key }: Mixed, ours: readonly number[]): void {
    const mine = ours.map((participant) => ({
      participant,
      share: shareOf({ group, shares }, participant),
      nonces: commit(suite, participant, shareOf({ group, shares }, participant), random),
    }));
    const made = ask('commit', { key });
    const [hiding = '', binding = ''] = containers.openCommitments(made.commitments);
    const list = [
      ...mine.map(({ nonces }) => nonces.commitments),
      { participant: THEIRS, hiding: hex(hiding), binding: hex(binding) },
    ].toSorted((a, b) => a.participant - b.participant);
    const signingPackage = containers.signingPackage(
      list.map((each) => ({
        number: each.participant,
        hiding: toHex(each.hiding),
        binding: toHex(each.binding),
      })),
      toHex(MESSAGE),
    );
    const theirShare = ask('sign', { key, nonces: made.nonces, package: signingPackage });
    const signatureShares = [
      ...mine.map(({ participant, share, nonces }) => ({
        participant,
        signatureShare: signShare({ group, participant, share }, nonces, list, MESSAGE),
      })),
      { participant: THEIRS, signatureShare: hex(theirShare) },
    ];
    const signature = aggregate(group, list, MESSAGE, signatureShares);
    const byThem = ask('aggregate', {
      package: signingPackage,
      shares: Object.fromEntries(
        signatureShares.map(({ participant, signatureShare }) => [participant, toHex(signatureShare)]),
      ),
      public: publicPackage(group),
    });
    expect(toHex(signature)).toBe(byThem);
    expect(ask('verify', { key: keyOf(group), message: toHex(MESSAGE), signature: toHex(signature) })).toBe(
      'valid',
    );
  }

  function refreshTogether(old: Mixed): Mixed {
    const terms = createRefreshTerms(old.group, SIGNERS, CONTEXT);
    const mine = OURS.map((signer) => startDealing(terms, signer, random));
    const first = ask('refresh-1', {
      id: THEIRS,
      n: 3,
      t: THRESHOLD,
    });
    const { elements } = containers.openFirstPackage(first.package, THRESHOLD - 1);
    const [zero, secret] = first.coefficients.map((each) => hex(each));
    const element = curve.decode(hex(elements[0] ?? ''));
    if (zero === undefined || secret === undefined || element === undefined)
      throw new RangeError('a package');
    expect(curve.scalars.isZero(zero)).toBe(true);
    // The crate proves nothing of its coefficients that could be verified: the proof that we ask for is made for it.
    const challenge = coefficientChallenge(suite, terms.digest, THEIRS, 1);
    const proof = prove(suite, challenge, { secret, element }, random);
    const verified = verifyPackages(terms, [
      ...mine.map((dealer) => dealer.package),
      {
        kind: 'refresh',
        sender: THEIRS,
        terms: terms.digest,
        commitments: elements.map((each) => hex(each)),
        proofs: [proof],
      },
    ]);
    const packages = Object.fromEntries(
      mine.map(({ participant, package: { commitments, proofs } }) => [
        participant,
        containers.firstPackage(
          commitments.map((each) => toHex(each)),
          toHex(proofs[0] ?? MESSAGE),
        ),
      ]),
    );
    const second = ask('refresh-2', {
      secret: first.secret,
      packages,
    });
    const theirs = ask('refresh-3', {
      secret: second.secret,
      first: packages,
      second: Object.fromEntries(
        mine.map((dealer) => [dealer.participant, containers.secondPackage(toHex(dealTo(dealer, THEIRS)))]),
      ),
      public: publicPackage(old.group),
      key: old.key,
    });
    assertAgreed(verified.group, theirs);
    expect(keyOf(verified.group)).toBe(keyOf(old.group));
    const shares = OURS.map((receiver) => {
      const parts = [
        ...mine.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, receiver) })),
        { sender: THEIRS, value: hex(containers.openSecondPackage(second.packages[receiver] ?? '')) },
      ];
      return [receiver, finishDealing(verified, receiver, parts, shareOf(old, receiver))] as const;
    });
    return { group: verified.group, shares: new Map(shares), key: theirs.key };
  }

  /** Has our first participant and the crates' repair the share of our other one. */
  function repairTogether({ group, shares, key }: Mixed): void {
    const [helper = 1, target = 3] = OURS;
    const terms = createRepairTerms(group, [helper, THEIRS], target, CONTEXT);
    const mine = startRepair(terms, helper, shareOf({ group, shares }, helper), random);
    const theirs = ask('repair-1', { key, helpers: terms.dealers, target });
    const delta = (receiver: number) => hex(theirs[receiver] ?? '');
    const verified = verifyRepairPackages(terms, [
      mine.package,
      {
        kind: 'repair',
        sender: THEIRS,
        terms: terms.digest,
        commitments: terms.dealers.map((each) => curve.encode(curve.multiplyBase(delta(each)))),
        proofs: [],
      },
    ]);
    const own = (receiver: number) => mine.deltas.get(receiver) ?? new Uint8Array(0);
    const sigma = addDeltas(verified, helper, [
      { sender: helper, value: own(helper) },
      { sender: THEIRS, value: delta(helper) },
    ]);
    const theirSigma = ask('repair-2', {
      deltas: { [helper]: toHex(own(THEIRS)), [THEIRS]: toHex(delta(THEIRS)) },
    });
    const share = finishRepair(verified, [
      { sender: helper, value: sigma },
      { sender: THEIRS, value: hex(theirSigma) },
    ]);
    expect(toHex(share)).toBe(toHex(shareOf({ group, shares }, target)));
    // The crate ends the same repair with the same key package.
    const repaired = ask('repair-3', {
      sigmas: { [helper]: toHex(sigma), [THEIRS]: theirSigma },
      target,
      public: publicPackage(group),
    });
    expect(repaired).toBe(
      containers.keyPackage(target, toHex(share), verifyingShare(group, target), keyOf(group), THRESHOLD),
    );
  }

  it.skipIf(peer === undefined).each([1, 2, 3])(
    'generates, signs, refreshes, repairs and signs again (run %i)',
    (_run) => {
      const generated = generateTogether();
      signTogether(generated, [1]);
      signTogether(generated, [1, 3]);
      repairTogether(generated);
      const refreshed = refreshTogether(generated);
      signTogether(refreshed, [3]);
      repairTogether(refreshed);
      // The crates' old share with our new one: theirs is named.
      expect(() => signTogether({ ...refreshed, key: generated.key }, [3])).toThrow(
        expect.objectContaining({ code: 'SIGNATURE_SHARES_INVALID', culprits: [THEIRS] }),
      );
    },
  );
});
