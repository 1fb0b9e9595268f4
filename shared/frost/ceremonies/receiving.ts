import { assertEach, ThresholdError } from '../errors.ts';
import { assertShare, type DecodedGroup, encodeGroup } from '../frost-group.ts';
import { type Element, type Group } from '../groups/group.ts';
import { computeLagrangeCoefficient, listPowers, sumElements, sumScalars } from '../polynomial.ts';
import { withSecrets } from '../secrets.ts';
import { type CeremonyPackage, hashTranscript } from './package.ts';
import { assertPackagesOfAll, assertPartsOfAll, type SecretPart } from './packages-of-all.ts';
import { coefficientChallenge, generationChallenge, verifyProof } from './proofs.ts';
import { type DealingTerms } from './terms.ts';

/** The packages of all dealers, verified, and the group that they make, which anybody can compute. */
export interface VerifiedDealing {
  readonly terms: DealingTerms;
  readonly group: DecodedGroup;
  /** SHA-384 of terms and packages: {@link hashTranscript}. */
  readonly transcript: Uint8Array;
  /** The elements of each dealer's polynomial, from the constant term's; the identity's place is undefined. */
  readonly polynomials: ReadonlyMap<number, readonly (Element | undefined)[]>;
}

/**
 * Verifies the packages of all dealers, and computes the group that they make.
 *
 * Checked of each: sender and terms, the number of commitments, every element, the proofs of knowledge (of the constant
 * term in a generation, of every other coefficient in refresh and reshare), and in a reshare that the constant term's
 * element is the verifying share of the dealer in the old group: without that the key would change unnoticed.
 *
 * @throws ThresholdError PACKAGE_INVALID naming all dealers at fault; CEREMONY_RESULT_INVALID
 */
export function verifyPackages(terms: DealingTerms, packages: readonly CeremonyPackage[]): VerifiedDealing {
  assertPackagesOfAll(terms, packages);
  const decoded = new Map<number, readonly (Element | undefined)[]>();
  assertEach(
    packages.map((message) => [message.sender, message] as const),
    (message, sender) => {
      const elements = decodePolynomial(terms, message);
      if (elements !== undefined) decoded.set(sender, elements);
      return elements !== undefined && areProofsValid(terms, message, elements);
    },
    'PACKAGE_INVALID',
    'expected commitments to a polynomial of the threshold, with their proofs',
  );
  return {
    terms,
    group: combine(terms, decoded),
    transcript: hashTranscript(terms, packages),
    polynomials: decoded,
  };
}

function decodePolynomial(
  { kind, suite, base, threshold }: DealingTerms,
  { sender, commitments }: CeremonyPackage,
): (Element | undefined)[] | undefined {
  const { group } = suite;
  const omitted = kind === 'refresh' ? [undefined] : [];
  if (commitments.length + omitted.length !== threshold) return undefined;
  const elements: Element[] = [];
  for (const bytes of commitments) {
    const element = group.decode(bytes);
    if (element === undefined) return undefined;
    elements.push(element);
  }
  const [constant] = elements;
  if (kind === 'reshare' && base !== undefined) {
    if (constant === undefined || !group.equals(constant, base.verifyingShare(sender))) return undefined;
  }
  return [...omitted, ...elements];
}

function areProofsValid(
  { kind, suite, digest, threshold }: DealingTerms,
  { sender, proofs }: CeremonyPackage,
  elements: readonly (Element | undefined)[],
): boolean {
  const first = kind === 'generate' ? 0 : 1;
  const count = kind === 'generate' ? 1 : threshold - 1;
  return (
    proofs.length === count &&
    proofs.every((proof, offset) => {
      const index = first + offset;
      const element = elements[index];
      const challenge =
        kind === 'generate'
          ? generationChallenge(suite, sender)
          : coefficientChallenge(suite, digest, sender, index);
      return element !== undefined && verifyProof(suite, challenge, element, proof);
    })
  );
}

/** Computes the group: the sum of all polynomials, weighted by Lagrange coefficients in a reshare. */
function combine(
  terms: DealingTerms,
  polynomials: ReadonlyMap<number, readonly (Element | undefined)[]>,
): DecodedGroup {
  const { kind, suite, base, epoch, threshold, receivers } = terms;
  const { group } = suite;
  const elements = Array.from({ length: threshold }, (_, index) => {
    const column = [...polynomials].flatMap(([sender, coefficients]) => {
      const element = coefficients[index];
      return element === undefined ? [] : [{ sender, element }];
    });
    const old = kind === 'refresh' ? base?.elements[index] : undefined;
    if (kind !== 'reshare')
      return sumElements(group, [
        ...column.map(({ element }) => element),
        ...(old === undefined ? [] : [old]),
      ]);
    return group.sumOfProducts(
      column.map(({ sender }) => weigh(terms, sender)),
      column.map(({ element }) => element),
    );
  });
  const [publicKey] = elements;
  if (
    publicKey === undefined ||
    elements.some((element) => group.isIdentity(element)) ||
    (base !== undefined && !group.equals(publicKey, base.publicKey))
  ) {
    throw new ThresholdError(
      'CEREMONY_RESULT_INVALID',
      base === undefined ? 'expected a key other than the identity' : 'the key would change',
    );
  }
  return encodeGroup(suite, { epoch, threshold, signers: receivers }, elements);
}

function weigh({ suite, kind, dealers }: DealingTerms, sender: number): Uint8Array {
  const { scalars } = suite.group;
  return kind === 'reshare' ? computeLagrangeCoefficient(scalars, dealers, sender) : scalars.fromNumber(1);
}

/**
 * Computes a receiver's share of the new group from what the dealers sent to it alone, and verifies it. Every part is
 * verified by itself when the sum is wrong.
 *
 * @param parts one of each dealer, the receiver's own among them
 * @param oldShare the receiver's share of the old group, for a refresh alone
 * @returns the share, which the caller clears
 * @throws ThresholdError SECRET_PART_INVALID naming all dealers at fault; GROUP_SHARE_INVALID for the old share;
 *   PARTICIPANTS_INVALID for one who receives nothing
 */
export function finishDealing(
  { terms, group, polynomials }: VerifiedDealing,
  receiver: number,
  parts: readonly SecretPart[],
  oldShare?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { kind, suite, base } = terms;
  const { group: curve } = suite;
  const { scalars } = curve;
  if ((kind === 'refresh') !== (oldShare !== undefined))
    throw new TypeError('expected the old share of a receiver for a refresh, and none otherwise');
  if (!terms.receivers.includes(receiver))
    throw new ThresholdError('PARTICIPANTS_INVALID', 'expected a receiver of the ceremony', [receiver]);
  if (oldShare !== undefined && base !== undefined) assertShare(base, receiver, oldShare);
  assertPartsOfAll(terms.dealers, parts);
  assertEach(
    parts.map(({ sender, value }) => [sender, value] as const),
    (value) => scalars.isCanonical(value),
    'SECRET_PART_INVALID',
    'expected a scalar of each dealer',
  );
  const share = withSecrets((keep) =>
    sumScalars(scalars, [
      ...parts.map(({ sender, value }) =>
        kind === 'reshare' ? keep(scalars.multiply(weigh(terms, sender), value)) : value,
      ),
      ...(oldShare === undefined ? [] : [oldShare]),
    ]),
  );
  if (!scalars.isZero(share) && curve.equals(curve.multiplyBase(share), group.verifyingShare(receiver)))
    return share;
  share.fill(0);
  assertEach(
    parts.map(({ sender, value }) => [sender, value] as const),
    (value, sender) =>
      curve.equals(curve.multiplyBase(value), evaluateAt(curve, polynomials.get(sender) ?? [], receiver)),
    'SECRET_PART_INVALID',
    "a part is not the value of its dealer's polynomial",
  );
  throw new ThresholdError('CEREMONY_RESULT_INVALID', 'expected a share other than zero');
}

/** Computes the element of a polynomial's value at x; coefficients without an element are zero. */
function evaluateAt(group: Group, elements: readonly (Element | undefined)[], x: number): Element {
  const powers = listPowers(group.scalars, x, elements.length);
  const terms = elements.flatMap((element, index) => {
    const power = powers[index];
    return element === undefined || power === undefined ? [] : [{ element, power }];
  });
  return group.sumOfProducts(
    terms.map(({ power }) => power),
    terms.map(({ element }) => element),
  );
}
