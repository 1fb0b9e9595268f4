import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { ShareType } from '../../../shared/algorithms.ts';
import {
  aggregate,
  commit,
  createGenerationTerms,
  createRefreshTerms,
  createRepairTerms,
  createReshareTerms,
  createSuites,
  type Dealer,
  type DealingTerms,
  dealTo,
  type DecodedGroup,
  addDeltas,
  finishDealing,
  finishRepair,
  nobleSuites,
  type RandomSource,
  signShare,
  startDealing,
  startRepair,
  ThresholdError,
  verifyPackages,
  verifyRepairPackages,
} from '../../../shared/frost/index.ts';
import { listImplementations } from './groups/every-groups.ts';

/** The suites over every implementation of the groups that there is on this machine, by its name. */
export const EVERY_SUITES = listImplementations().map(
  ({ name, groups }) => [name, createSuites(groups)] as const,
);

export const TYPES: readonly ShareType[] = [
  'frost-ed25519',
  'frost-ristretto255',
  'frost-p256',
  'frost-secp256k1-taproot',
];

export const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
export const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Bytes that follow from a seed, each call others. */
export function seededRandom(seed: string): RandomSource {
  let counter = 0;
  return (length) => {
    const bytes = createHash('shake256', { outputLength: length }).update(`${seed}:${counter}`).digest();
    counter += 1;
    return new Uint8Array(bytes);
  };
}

/** A group with the shares that its holders have. */
export interface Holders {
  readonly group: DecodedGroup;
  readonly shares: ReadonlyMap<number, Uint8Array>;
}

export const CONTEXT = hex('c0ffee');
export const MESSAGE = new Uint8Array(createHash('sha256').update('a message').digest());

export function shareOf({ shares }: Holders, signer: number): Uint8Array {
  const share = shares.get(signer);
  if (share === undefined) throw new RangeError(`no share of ${signer}`);
  return share;
}

/** Runs all rounds of a ceremony that deals polynomials, every participant honest. */
export function runDealing(terms: DealingTerms, random: RandomSource, old?: Holders): Holders {
  const dealers = startAll(terms, random, old);
  const verified = verifyPackages(
    terms,
    dealers.map((dealer) => dealer.package),
  );
  const shares = terms.receivers.map((receiver) => {
    const parts = dealers.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, receiver) }));
    const share =
      terms.kind === 'refresh' && old !== undefined
        ? finishDealing(verified, receiver, parts, shareOf(old, receiver))
        : finishDealing(verified, receiver, parts);
    return [receiver, share] as const;
  });
  return { group: verified.group, shares: new Map(shares) };
}

export function startAll(terms: DealingTerms, random: RandomSource, old?: Holders): Dealer[] {
  return terms.dealers.map((dealer) =>
    terms.kind === 'reshare' && old !== undefined
      ? startDealing(terms, dealer, random, shareOf(old, dealer))
      : startDealing(terms, dealer, random),
  );
}

export function generate(
  type: ShareType,
  threshold: number,
  signers: readonly number[],
  random: RandomSource,
): Holders {
  return runDealing(createGenerationTerms(nobleSuites[type], { threshold, signers }, CONTEXT), random);
}

export function refresh(old: Holders, random: RandomSource, signers = old.group.signers): Holders {
  return runDealing(createRefreshTerms(old.group, signers, CONTEXT), random, old);
}

export function reshare(
  old: Holders,
  dealers: readonly number[],
  quorum: { readonly threshold: number; readonly signers: readonly number[] },
  random: RandomSource,
): Holders {
  return runDealing(createReshareTerms(old.group, dealers, quorum, CONTEXT), random, old);
}

/** Has helpers compute the share of `target`, every one honest. */
export function repair(
  old: Holders,
  helpers: readonly number[],
  target: number,
  random: RandomSource,
): Uint8Array {
  const terms = createRepairTerms(old.group, helpers, target, CONTEXT);
  const started = helpers.map((helper) => startRepair(terms, helper, shareOf(old, helper), random));
  const verified = verifyRepairPackages(
    terms,
    started.map((helper) => helper.package),
  );
  const sigmas = helpers.map((helper) => ({
    sender: helper,
    value: addDeltas(
      verified,
      helper,
      started.map(({ deltas, package: { sender } }) => ({
        sender,
        value: deltas.get(helper) ?? new Uint8Array(0),
      })),
    ),
  }));
  return finishRepair(verified, sigmas);
}

/** Makes a signature with these signers, whose shares may be of any group. */
export function sign(
  group: DecodedGroup,
  shares: ReadonlyMap<number, Uint8Array>,
  signers: readonly number[],
  random: RandomSource,
  message = MESSAGE,
): Uint8Array {
  const entries = signers.map((participant) => {
    const share = shares.get(participant);
    if (share === undefined) throw new RangeError(`no share of ${participant}`);
    return { participant, share, nonces: commit(group.suite, participant, share, random) };
  });
  const list = entries.map(({ nonces }) => nonces.commitments);
  const signatureShares = entries.map(({ participant, share, nonces }) => ({
    participant,
    signatureShare: signShare({ group, participant, share }, nonces, list, message),
  }));
  return aggregate(group, list, message, signatureShares);
}

/** Code and culprits of the refusal; `none` where there is none. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ThresholdError);
    const { code, culprits } = error as ThresholdError;
    return culprits.length === 0 ? code : `${code} ${culprits.join(',')}`;
  }
  return 'none';
}
