import { assertEach, ThresholdError } from '../errors.ts';
import { areAscending, type DecodedGroup } from '../frost-group.ts';
import { type Element } from '../groups/group.ts';
import { computeLagrangeCoefficient, sumElements } from '../polynomial.ts';
import { toEvenY } from '../adjustments/adjustment.ts';
import { type NonceCommitments } from './nonces.ts';

/** What every signer and the aggregator compute from the list of commitments and the message. */
export interface SigningPackage {
  /** The group that signs: for BIP-340 the one whose public key has an even y. */
  readonly group: DecodedGroup;
  readonly isKeyNegated: boolean;
  /** R of the signature; for BIP-340 before its y is made even. */
  readonly commitment: Element;
  readonly isCommitmentNegated: boolean;
  readonly challenge: Uint8Array;
  readonly signers: ReadonlyMap<number, SignerTerms>;
}

interface SignerTerms {
  readonly hiding: Element;
  readonly binding: Element;
  readonly bindingFactor: Uint8Array;
  /** The Lagrange coefficient times the challenge. */
  readonly weight: Uint8Array;
}

/**
 * Computes the binding factors, the group's commitment and the challenge of a signature: RFC 9591, 4.3 to 4.6.
 *
 * @throws ThresholdError PARTICIPANTS_INVALID unless the signers are of the group, in ascending order, `threshold` of them
 *   or more; NONCE_COMMITMENTS_INVALID naming every signer whose commitments are no elements or are another's
 */
export function prepareSigning(
  wholeGroup: DecodedGroup,
  list: readonly NonceCommitments[],
  message: Uint8Array,
): SigningPackage {
  const { group, isNegated: isKeyNegated } = toEvenY(wholeGroup);
  const { suite } = group;
  const { group: curve } = suite;
  assertSigners(group, list);
  const elements = decodeCommitments(group, list);
  const prefix = [
    curve.encode(group.publicKey),
    suite.hashMessage(message),
    suite.hashCommitments(
      ...list.flatMap(({ participant, hiding, binding }) => [
        curve.scalars.fromNumber(participant),
        hiding,
        binding,
      ]),
    ),
  ];
  const factors = list.map(({ participant }) =>
    suite.hashBindingFactor(...prefix, curve.scalars.fromNumber(participant)),
  );
  const commitment = curve.add(
    sumElements(
      curve,
      elements.map(({ hiding }) => hiding),
    ),
    curve.sumOfProducts(
      factors,
      elements.map(({ binding }) => binding),
    ),
  );
  if (curve.isIdentity(commitment)) {
    throw new ThresholdError(
      'NONCE_COMMITMENTS_INVALID',
      'the commitments add up to the identity',
      list.map(({ participant }) => participant),
    );
  }
  const isCommitmentNegated = suite.isBip340 && hasOddY(curve.encode(commitment));
  const challenge = suite.computeChallenge(commitment, group.publicKey, message);
  const numbers = list.map(({ participant }) => participant);
  const signers = new Map<number, SignerTerms>();
  for (const [index, { hiding, binding }] of elements.entries()) {
    const participant = numbers[index];
    const bindingFactor = factors[index];
    if (participant === undefined || bindingFactor === undefined) continue;
    const lambda = computeLagrangeCoefficient(curve.scalars, numbers, participant);
    signers.set(participant, {
      hiding,
      binding,
      bindingFactor,
      weight: curve.scalars.multiply(lambda, challenge),
    });
  }
  return { group, isKeyNegated, commitment, isCommitmentNegated, challenge, signers };
}

function assertSigners({ signers, threshold }: DecodedGroup, list: readonly NonceCommitments[]): void {
  const numbers = list.map(({ participant }) => participant);
  const strangers = numbers.filter((number) => !signers.includes(number));
  if (strangers.length > 0 || numbers.length < threshold || !areAscending(numbers)) {
    throw new ThresholdError(
      'PARTICIPANTS_INVALID',
      'expected signers of the group in ascending order, at least as many as the threshold',
      [],
      { signers: numbers.length, threshold },
    );
  }
}

/** Decodes commitments, and refuses a signer that repeats an element, its own or another's. */
function decodeCommitments(
  { suite: { group } }: DecodedGroup,
  list: readonly NonceCommitments[],
): { readonly hiding: Element; readonly binding: Element }[] {
  const owners = new Map<string, number[]>();
  for (const { participant, hiding, binding } of list) {
    for (const bytes of [hiding, binding]) {
      const key = Buffer.from(bytes).toString('base64');
      owners.set(key, [...(owners.get(key) ?? []), participant]);
    }
  }
  const repeated = new Set([...owners.values()].filter(({ length }) => length > 1).flat());
  const decoded = list.map(({ participant, hiding, binding }) => ({
    participant,
    hiding: group.decode(hiding),
    binding: group.decode(binding),
  }));
  assertEach(
    decoded.map((entry) => [entry.participant, entry] as const),
    ({ participant, hiding, binding }) =>
      hiding !== undefined && binding !== undefined && !repeated.has(participant),
    'NONCE_COMMITMENTS_INVALID',
    'expected two elements of the group of each signer, none of them twice',
  );
  return decoded.flatMap(({ hiding, binding }) =>
    hiding === undefined || binding === undefined ? [] : [{ hiding, binding }],
  );
}

/** Tells whether a compressed SEC1 element has an odd y. */
export function hasOddY(encoded: Uint8Array): boolean {
  return encoded[0] === 3;
}
