import { type ShareType } from '../algorithms.ts';
import { ThresholdError } from './errors.ts';
import { type Element } from './groups/group.ts';
import { evaluateCommitments } from './polynomial.ts';
import { type Suite } from './suites/suite.ts';

/** The most signers of a group. */
export const MAX_SIGNERS = 255;
/** The highest number of a signer. */
export const MAX_SIGNER_NUMBER = 65_535;
/** The highest epoch. */
export const MAX_EPOCH = 2 ** 32 - 1;
export const SCALAR_BYTES = 32;

/** The public part of a group's key, which all its signers know. */
export interface FrostGroup {
  readonly type: ShareType;
  /** How often the shares of the key were made anew: 0 as dealt by a client, 1 as first made by nodes. */
  readonly epoch: number;
  /** How many signers make a signature; at least 2. */
  readonly threshold: number;
  /** The numbers of all signers, in ascending order. */
  readonly signers: readonly number[];
  /** The commitments to the polynomial's coefficients, `threshold` of them; the first is the public key. */
  readonly commitments: readonly Uint8Array[];
}

/** A group whose commitments were decoded, once for all that is computed with them. */
export interface DecodedGroup extends FrostGroup {
  readonly suite: Suite;
  readonly publicKey: Element;
  readonly elements: readonly Element[];
  /** Computes the public element of a signer's share: RFC 9591, C.2. @throws ThresholdError PARTICIPANTS_INVALID */
  verifyingShare(signer: number): Element;
  /** Computes the public element of the share that any number would have, member or not. */
  elementAt(number: number): Element;
}

/**
 * Decodes a group: every commitment an element, the right number of them, signers distinct and in order.
 *
 * @throws ThresholdError GROUP_INVALID
 */
export function decodeGroup(suite: Suite, group: FrostGroup): DecodedGroup {
  const { type, epoch, threshold, signers, commitments } = group;
  if (type !== suite.type) throw invalid('type', type);
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > MAX_EPOCH) throw invalid('epoch', epoch);
  assertQuorum(threshold, signers);
  if (commitments.length !== threshold) throw invalid('commitments', commitments.length);
  const elements = commitments.map((bytes, index) => {
    const element = suite.group.decode(bytes);
    if (element === undefined) throw invalid('commitment', index);
    return element;
  });
  const copies = commitments.map((bytes) => Uint8Array.from(bytes));
  return buildGroup(suite, { type, epoch, threshold, signers: [...signers], commitments: copies }, elements);
}

/** Builds a decoded group of elements that were computed. @throws ThresholdError GROUP_INVALID for an identity */
export function encodeGroup(
  suite: Suite,
  { epoch, threshold, signers }: Pick<FrostGroup, 'epoch' | 'threshold' | 'signers'>,
  elements: readonly Element[],
): DecodedGroup {
  assertQuorum(threshold, signers);
  if (elements.length !== threshold) throw invalid('commitments', elements.length);
  const commitments = elements.map((element, index) => {
    if (suite.group.isIdentity(element)) throw invalid('commitment', index);
    return suite.group.encode(element);
  });
  return buildGroup(
    suite,
    { type: suite.type, epoch, threshold, signers: [...signers], commitments },
    elements,
  );
}

function buildGroup(suite: Suite, group: FrostGroup, elements: readonly Element[]): DecodedGroup {
  const [publicKey] = elements;
  if (publicKey === undefined) throw invalid('commitments', 0);
  const known = new Map<number, Element>();
  const elementAt = (number: number) => {
    const found = known.get(number);
    if (found !== undefined) return found;
    const element = evaluateCommitments(suite.group, elements, number);
    // The cache holds signers alone, so that no caller makes it grow.
    if (group.signers.includes(number)) known.set(number, element);
    return element;
  };
  const decoded = {
    suite,
    publicKey,
    elements,
    elementAt,
    verifyingShare(signer: number) {
      if (!group.signers.includes(signer))
        throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a signer of the group', [signer]);
      return elementAt(signer);
    },
  };
  // Not enumerable, so that the group is compared and written as the plain data that it is.
  const hidden = Object.entries(decoded).map(([name, value]) => [name, { value }] as const);
  return Object.freeze(Object.defineProperties({ ...group }, Object.fromEntries(hidden))) as DecodedGroup;
}

/** Asserts a threshold of 2 to as many signers as there are. @throws ThresholdError GROUP_INVALID */
export function assertQuorum(threshold: number, signers: readonly number[]): void {
  if (signers.length > MAX_SIGNERS || !areAscending(signers)) throw invalid('signers', signers.length);
  if (!Number.isInteger(threshold) || threshold < 2 || threshold > signers.length)
    throw invalid('threshold', threshold);
}

/** Tells whether numbers of participants are valid, distinct and in ascending order. */
export function areAscending(numbers: readonly number[]): boolean {
  return numbers.every(
    (number, index) =>
      Number.isInteger(number) && number <= MAX_SIGNER_NUMBER && number > (numbers[index - 1] ?? 0),
  );
}

/**
 * Asserts that a share is the one that its group's commitments promise to its holder (RFC 9591, C.2).
 *
 * @throws ThresholdError GROUP_SHARE_INVALID, PARTICIPANTS_INVALID
 */
export function assertShare(group: DecodedGroup, participant: number, share: Uint8Array): void {
  const { group: curve } = group.suite;
  const expected = group.verifyingShare(participant);
  if (
    !curve.scalars.isCanonical(share) ||
    curve.scalars.isZero(share) ||
    !curve.equals(curve.multiplyBase(share), expected)
  ) {
    throw new ThresholdError('GROUP_SHARE_INVALID', 'the share is not the one that its group promises', [
      participant,
    ]);
  }
}

function invalid(field: string, found: unknown): ThresholdError {
  return new ThresholdError('GROUP_INVALID', `expected the ${field} of a group`, [], { field, found });
}
