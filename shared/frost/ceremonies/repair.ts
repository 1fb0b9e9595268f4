import { assertEach, ThresholdError } from '../errors.ts';
import { assertShare, type DecodedGroup, encodeGroup } from '../frost-group.ts';
import { type Element } from '../groups/group.ts';
import { computeLagrangeCoefficient, drawScalar, sumElements, sumScalars } from '../polynomial.ts';
import { type RandomSource, withSecrets } from '../secrets.ts';
import { type CeremonyPackage, hashTranscript } from './package.ts';
import { assertPackagesOfAll, assertPartsOfAll, type SecretPart } from './packages-of-all.ts';
import { nextEpoch, type Terms } from './terms.ts';

type RepairTerms = Terms<'repair'>;

/** A helper's deltas by the number of the helper that each is for, its own among them, and its package. */
export interface Helper {
  readonly deltas: ReadonlyMap<number, Uint8Array>;
  readonly package: CeremonyPackage;
}

/** The packages of all helpers, verified. */
export interface VerifiedRepair {
  readonly terms: RepairTerms;
  readonly transcript: Uint8Array;
  /** Elements of the deltas, by sender and then by the helper that the delta is for. */
  readonly deltas: ReadonlyMap<number, ReadonlyMap<number, Element>>;
}

/**
 * Splits a helper's contribution into one delta for each helper: the repairable scheme of Laing and Stinson
 * (ePrint 2017/1155), with a commitment to each delta, so that everything that is received can be verified.
 *
 * @throws ThresholdError PARTICIPANTS_INVALID, GROUP_SHARE_INVALID
 */
export function startRepair(
  terms: RepairTerms,
  helper: number,
  share: Uint8Array,
  random: RandomSource,
): Helper {
  const { suite, dealers, digest } = terms;
  const { group } = suite;
  const { scalars } = group;
  if (!dealers.includes(helper))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a helper of the repair', [helper]);
  assertShare(baseOf(terms), helper, share);
  const contribution = scalars.multiply(weigh(terms, helper), share);
  const deltas = new Map<number, Uint8Array>();
  for (const other of dealers.slice(1)) deltas.set(other, drawScalar(group, random));
  withSecrets((keep) => {
    keep(contribution);
    deltas.set(dealers[0] ?? 0, scalars.subtract(contribution, keep(sumScalars(scalars, deltas.values()))));
  });
  const commitments = dealers.map((other) =>
    group.encode(group.multiplyBase(deltas.get(other) ?? contribution)),
  );
  return { deltas, package: { kind: 'repair', sender: helper, terms: digest, commitments, proofs: [] } };
}

/**
 * Verifies the packages of all helpers: each one's commitments add up to its verifying share, weighted for the target.
 *
 * @throws ThresholdError PACKAGE_INVALID naming all helpers at fault
 */
export function verifyRepairPackages(
  terms: RepairTerms,
  packages: readonly CeremonyPackage[],
): VerifiedRepair {
  assertPackagesOfAll(terms, packages);
  const { suite, dealers } = terms;
  const { group } = suite;
  const deltas = new Map<number, Map<number, Element>>();
  assertEach(
    packages.map((message) => [message.sender, message] as const),
    ({ commitments, proofs }, sender) => {
      if (commitments.length !== dealers.length || proofs.length !== 0) return false;
      const elements = new Map<number, Element>();
      for (const [index, bytes] of commitments.entries()) {
        const element = group.decode(bytes);
        const helper = dealers[index];
        if (element === undefined || helper === undefined) return false;
        elements.set(helper, element);
      }
      deltas.set(sender, elements);
      const expected = group.sumOfProducts([weigh(terms, sender)], [baseOf(terms).verifyingShare(sender)]);
      return group.equals(sumElements(group, [...elements.values()]), expected);
    },
    'PACKAGE_INVALID',
    "expected commitments that add up to the helper's verifying share",
  );
  return { terms, transcript: hashTranscript(terms, packages), deltas };
}

/**
 * Adds up the deltas that one helper received, its own among them, after verifying each: what it sends to the target.
 *
 * @returns sigma, which the caller clears
 * @throws ThresholdError SECRET_PART_INVALID naming all senders at fault; PARTICIPANTS_INVALID
 */
export function addDeltas(
  { terms, deltas }: VerifiedRepair,
  helper: number,
  parts: readonly SecretPart[],
): Uint8Array<ArrayBuffer> {
  const { group } = terms.suite;
  if (!terms.dealers.includes(helper))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a helper of the repair', [helper]);
  assertPartsOfAll(terms.dealers, parts);
  assertEach(
    parts.map(({ sender, value }) => [sender, value] as const),
    (value, sender) => {
      const expected = deltas.get(sender)?.get(helper);
      return (
        expected !== undefined &&
        group.scalars.isCanonical(value) &&
        group.equals(group.multiplyBase(value), expected)
      );
    },
    'SECRET_PART_INVALID',
    'a delta does not fit the commitment to it',
  );
  return sumScalars(
    group.scalars,
    parts.map(({ value }) => value),
  );
}

/**
 * Adds up the sigmas of all helpers to the target's share, after verifying each.
 *
 * @returns the share, verified against the group; the caller clears it
 * @throws ThresholdError SECRET_PART_INVALID naming all helpers at fault; CEREMONY_RESULT_INVALID
 */
export function finishRepair(
  { terms, deltas }: VerifiedRepair,
  parts: readonly SecretPart[],
): Uint8Array<ArrayBuffer> {
  const { group } = terms.suite;
  assertPartsOfAll(terms.dealers, parts);
  assertEach(
    parts.map(({ sender, value }) => [sender, value] as const),
    (value, helper) => {
      const committed = [...deltas.values()].flatMap((row) => row.get(helper) ?? []);
      return (
        group.scalars.isCanonical(value) &&
        group.equals(group.multiplyBase(value), sumElements(group, committed))
      );
    },
    'SECRET_PART_INVALID',
    'a sigma does not fit the commitments to its deltas',
  );
  const share = sumScalars(
    group.scalars,
    parts.map(({ value }) => value),
  );
  const expected = baseOf(terms).elementAt(terms.receivers[0] ?? 0);
  if (!group.scalars.isZero(share) && group.equals(group.multiplyBase(share), expected)) return share;
  share.fill(0);
  throw new ThresholdError('CEREMONY_RESULT_INVALID', 'expected the share that the group promises');
}

/**
 * Computes the group that has one signer more, whose share a repair made: the same key, threshold and shares, the next
 * epoch.
 *
 * @throws ThresholdError PARTICIPANTS_INVALID for one who is a signer already; GROUP_INVALID
 */
export function enrolSigner(group: DecodedGroup, signer: number): DecodedGroup {
  if (group.signers.includes(signer))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a signer that the group lacks', [signer]);
  const signers = [...group.signers, signer].toSorted((left, right) => left - right);
  return encodeGroup(
    group.suite,
    { epoch: nextEpoch(group), threshold: group.threshold, signers },
    group.elements,
  );
}

function weigh({ suite, dealers, receivers }: RepairTerms, helper: number): Uint8Array {
  return computeLagrangeCoefficient(suite.group.scalars, dealers, helper, receivers[0]);
}

function baseOf({ base }: RepairTerms): DecodedGroup {
  if (base === undefined) throw new TypeError('expected the terms of a repair, which have a group');
  return base;
}
