import { type Element } from '../groups/group.ts';
import { drawScalar } from '../polynomial.ts';
import { type RandomSource, withSecrets } from '../secrets.ts';
import { hasOddY } from '../signing/signing-package.ts';
import { type Suite } from '../suites/suite.ts';

/** Computes the challenge of a proof from the encoded element and nonce commitment. */
type Challenge = (element: Uint8Array, commitment: Uint8Array) => Uint8Array;

/** A secret scalar and its public element. */
interface Known {
  readonly secret: Uint8Array;
  readonly element: Element;
}

/**
 * The challenge of the proof of knowledge in key generation, as the FROST paper's round 1 and the Zcash Foundation's crates
 * have it: the sender's number, the element, the nonce commitment. No session is in it, so that the proof is valid in
 * every ceremony: the transcript's hash binds it to one.
 */
export function generationChallenge({ group, hashProof }: Suite, sender: number): Challenge {
  return (element, commitment) => hashProof(group.scalars.fromNumber(sender), element, commitment);
}

/** The challenge of a proof for one coefficient of a refresh or reshare: terms, sender, index, element, commitment. */
export function coefficientChallenge(
  { group, hashToScalar }: Suite,
  terms: Uint8Array,
  sender: number,
  index: number,
): Challenge {
  const number = (value: number) => group.scalars.fromNumber(value);
  return (element, commitment) =>
    hashToScalar('holdfast-coefficient', terms, number(sender), number(index), element, commitment);
}

/** Proves knowledge of a scalar by a Schnorr signature: R ‖ k + c · secret. */
export function prove(
  suite: Suite,
  challenge: Challenge,
  { secret, element }: Known,
  random: RandomSource,
): Uint8Array<ArrayBuffer> {
  const { group, isBip340 } = suite;
  const { scalars } = group;
  return withSecrets((keep) => {
    const drawn = keep(drawScalar(group, random));
    const drawnElement = group.multiplyBase(drawn);
    const isNegated = isBip340 && hasOddY(group.encode(drawnElement));
    const nonce = isNegated ? keep(scalars.negate(drawn)) : drawn;
    const commitment = group.encode(isNegated ? group.negate(drawnElement) : drawnElement);
    const c = challenge(group.encode(element), commitment);
    const response = scalars.add(nonce, keep(scalars.multiply(c, secret)));
    return Uint8Array.of(...(isBip340 ? commitment.subarray(1) : commitment), ...response);
  });
}

/** Verifies a proof of knowledge for an element. */
export function verifyProof(
  { group, isBip340, signatureBytes }: Suite,
  challenge: Challenge,
  element: Element,
  proof: Uint8Array,
): boolean {
  if (proof.length !== signatureBytes) return false;
  const split = proof.length - 32;
  const commitmentBytes = Uint8Array.of(...(isBip340 ? [2] : []), ...proof.subarray(0, split));
  const response = proof.subarray(split);
  const commitment = group.decode(commitmentBytes);
  if (commitment === undefined || !group.scalars.isCanonical(response)) return false;
  const c = challenge(group.encode(element), commitmentBytes);
  return group.equals(
    group.multiplyBase(response),
    group.add(commitment, group.sumOfProducts([c], [element])),
  );
}
