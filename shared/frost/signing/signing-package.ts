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
  /** R of the signature, for BIP-340 with an even y, and its encoding. */
  readonly commitment: Element;
  readonly encodedCommitment: Uint8Array;
  readonly isCommitmentNegated: boolean;
  readonly challenge: Uint8Array;
  readonly signers: ReadonlyMap<number, SignerTerms>;
}

interface SignerTerms {
  readonly hiding: Element;
  readonly binding: Element;
  readonly bindingFactor: Uint8Array;
}

/** Elements of commitments that were decoded, or made, before. */
export interface KnownCommitments {
  readonly participant: number;
  readonly hiding: Element;
  readonly binding: Element;
}

/**
 * Computes the binding factors, the group's commitment and the challenge of a signature: RFC 9591, 4.3 to 4.6.
 *
 * @param own elements of the signer's own commitments, whose bytes in the list were compared with what it made
 * @throws ThresholdError PARTICIPANTS_INVALID unless the signers are of the group, in ascending order, `threshold` of them
 *   or more; NONCE_COMMITMENTS_INVALID naming every signer whose commitments are no elements or are another's
 */
export function prepareSigning(
  wholeGroup: DecodedGroup,
  list: readonly NonceCommitments[],
  message: Uint8Array,
  own?: KnownCommitments,
): SigningPackage {
  const { group, isNegated: isKeyNegated } = toEvenY(wholeGroup);
  const { suite } = group;
  const { group: curve } = suite;
  const [publicKey = new Uint8Array(0)] = group.commitments;
  assertSigners(group, list);
  const signers = decodeCommitments(group, list, own);
  const identifiers = list.map(({ participant }) => curve.scalars.fromNumber(participant));
  const prefix = [
    publicKey,
    suite.hashMessage(message),
    suite.hashCommitments(
      ...list.flatMap(({ hiding, binding }, index) => [
        identifiers[index] ?? new Uint8Array(0),
        hiding,
        binding,
      ]),
    ),
  ];
  const factors = identifiers.map((identifier) => suite.hashBindingFactor(...prefix, identifier));
  const hidden = signers.map(({ hiding }) => hiding);
  const bound = curve.sumOfProducts(
    factors,
    signers.map(({ binding }) => binding),
  );
  const sum = curve.add(sumElements(curve, hidden), bound);
  if (curve.isIdentity(sum)) {
    throw new ThresholdError(
      'NONCE_COMMITMENTS_INVALID',
      'the commitments add up to the identity',
      list.map(({ participant }) => participant),
    );
  }
  const encoded = curve.encode(sum);
  const isCommitmentNegated = suite.isBip340 && hasOddY(encoded);
  return {
    group,
    isKeyNegated,
    commitment: isCommitmentNegated ? curve.negate(sum) : sum,
    encodedCommitment: encoded,
    isCommitmentNegated,
    challenge: suite.computeChallenge(encoded, publicKey, message),
    signers: new Map(
      signers.map(({ participant, hiding, binding }, index) => [
        participant,
        { hiding, binding, bindingFactor: factors[index] ?? new Uint8Array(0) },
      ]),
    ),
  };
}

/** Computes a signer's Lagrange coefficient times the challenge: the factor of its share in a signature. */
export function weighSigner(
  { group, challenge, signers }: SigningPackage,
  participant: number,
): Uint8Array<ArrayBuffer> {
  const { scalars } = group.suite.group;
  return scalars.multiply(computeLagrangeCoefficient(scalars, [...signers.keys()], participant), challenge);
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
  own: KnownCommitments | undefined,
): KnownCommitments[] {
  const repeated = findRepeated(list);
  const decoded = list.map((entry) => {
    const { participant } = entry;
    const known = own?.participant === participant ? own : undefined;
    return {
      participant,
      hiding: known?.hiding ?? group.decode(entry.hiding),
      binding: known?.binding ?? group.decode(entry.binding),
    };
  });
  assertEach(
    decoded.map((entry) => [entry.participant, entry] as const),
    ({ participant, hiding, binding }) =>
      hiding !== undefined && binding !== undefined && !repeated.has(participant),
    'NONCE_COMMITMENTS_INVALID',
    'expected two elements of the group of each signer, none of them twice',
  );
  return decoded.flatMap(({ participant, hiding, binding }) =>
    hiding === undefined || binding === undefined ? [] : [{ participant, hiding, binding }],
  );
}

/** Finds the signers one of whose commitments occurs twice in the list. */
function findRepeated(list: readonly NonceCommitments[]): ReadonlySet<number> {
  const owners = new Map<string, number>();
  const repeated = new Set<number>();
  for (const { participant, hiding, binding } of list) {
    for (const bytes of [hiding, binding]) {
      const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, participant);
      else repeated.add(owner).add(participant);
    }
  }
  return repeated;
}

/** Tells whether a compressed SEC1 element has an odd y. */
export function hasOddY(encoded: Uint8Array): boolean {
  return encoded[0] === 3;
}
