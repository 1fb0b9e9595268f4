import { ThresholdError } from '../errors.ts';
import { type DecodedGroup } from '../frost-group.ts';
import { type Element } from '../groups/group.ts';
import { sumScalars } from '../polynomial.ts';
import { type Suite } from '../suites/suite.ts';
import { type NonceCommitments } from './nonces.ts';
import { hasOddY, prepareSigning, type SigningPackage, weighSigner } from './signing-package.ts';

/** One signer's share of a signature: the scalar z_i of RFC 9591, 5.2. */
export interface SignatureShare {
  readonly participant: number;
  readonly signatureShare: Uint8Array;
}

/**
 * Aggregates signature shares as {@link aggregatePrepared} does.
 *
 * @param list the commitments that every signer was given
 * @throws ThresholdError PARTICIPANTS_INVALID, NONCE_COMMITMENTS_INVALID, SIGNATURE_SHARES_INVALID
 */
export function aggregate(
  group: DecodedGroup,
  list: readonly NonceCommitments[],
  message: Uint8Array,
  shares: readonly SignatureShare[],
): Uint8Array<ArrayBuffer> {
  return aggregatePrepared(prepareSigning(group, list, message), shares);
}

/**
 * Aggregates signature shares and verifies the signature: RFC 9591, 5.3 and 5.4. When it fails, every share is verified
 * by itself, and all signers at fault are named.
 *
 * @param prepared what the aggregator, a signer itself, has made its own share with
 * @returns R ‖ z: 64 bytes; of P-256 65, R compressed; of BIP-340 the x of R and z
 * @throws ThresholdError SIGNATURE_SHARES_INVALID
 */
export function aggregatePrepared(
  prepared: SigningPackage,
  shares: readonly SignatureShare[],
): Uint8Array<ArrayBuffer> {
  const { suite } = prepared.group;
  const { group: curve } = suite;
  const culprits = findUnusableShares(prepared, shares);
  if (culprits.length === 0) {
    const sum = sumScalars(
      curve.scalars,
      shares.map(({ signatureShare }) => signatureShare),
    );
    const { group: signing, commitment, challenge, encodedCommitment } = prepared;
    if (verifyEquation(suite, signing.publicKey, commitment, challenge, sum))
      return encodeSignature(suite, encodedCommitment, sum);
  }
  // A share can be wrong although another one hides it; each is judged by itself, the unusable ones set aside.
  for (const { participant, signatureShare } of shares) {
    if (!culprits.includes(participant) && !isShareValid(prepared, participant, signatureShare))
      culprits.push(participant);
  }
  throw new ThresholdError(
    'SIGNATURE_SHARES_INVALID',
    'the shares make no signature of this group and epoch',
    culprits,
  );
}

/**
 * Tells whether one share of a signature is its signer's: RFC 9591, 5.4.
 *
 * @throws ThresholdError as {@link aggregate} for the list
 */
export function verifySignatureShare(
  group: DecodedGroup,
  list: readonly NonceCommitments[],
  message: Uint8Array,
  { participant, signatureShare }: SignatureShare,
): boolean {
  return isShareValid(prepareSigning(group, list, message), participant, signatureShare);
}

function isShareValid(prepared: SigningPackage, participant: number, share: Uint8Array): boolean {
  const { group, signers, isCommitmentNegated } = prepared;
  const { group: curve } = group.suite;
  const terms = signers.get(participant);
  if (terms === undefined || !curve.scalars.isCanonical(share)) return false;
  const one = curve.scalars.fromNumber(1);
  const nonce = curve.sumOfProducts([one, terms.bindingFactor], [terms.hiding, terms.binding]);
  const expected = curve.add(
    isCommitmentNegated ? curve.negate(nonce) : nonce,
    curve.sumOfProducts([weighSigner(prepared, participant)], [group.verifyingShare(participant)]),
  );
  return curve.equals(curve.multiplyBase(share), expected);
}

/** Lists the signers without exactly one share that is a scalar, and those who were not asked for any. */
function findUnusableShares({ signers, group }: SigningPackage, shares: readonly SignatureShare[]): number[] {
  const { scalars } = group.suite.group;
  const seen = new Set<number>();
  const culprits: number[] = [];
  for (const { participant, signatureShare } of shares) {
    if (!signers.has(participant) || seen.has(participant) || !scalars.isCanonical(signatureShare))
      culprits.push(participant);
    seen.add(participant);
  }
  for (const signer of signers.keys()) if (!seen.has(signer)) culprits.push(signer);
  return culprits;
}

/** Tells whether z · G is R + c · key. */
function verifyEquation(
  { group }: Suite,
  publicKey: Element,
  commitment: Element,
  challenge: Uint8Array,
  z: Uint8Array,
): boolean {
  const right = group.add(commitment, group.sumOfProducts([challenge], [publicKey]));
  return group.equals(group.multiplyBase(z), right);
}

function encodeSignature({ isBip340, signatureBytes }: Suite, r: Uint8Array, z: Uint8Array) {
  const signature = new Uint8Array(signatureBytes);
  signature.set(isBip340 ? r.subarray(1) : r);
  signature.set(z, signatureBytes - z.length);
  return signature;
}

/**
 * Verifies a group's signature by the suite's own equation: RFC 9591, appendix B; for BIP-340 as that says.
 *
 * @param publicKey an encoded element: 32 bytes, or 33 (compressed SEC1)
 */
export function verifySignature(
  suite: Suite,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { group, isBip340, signatureBytes } = suite;
  if (signature.length !== signatureBytes) return false;
  const split = signature.length - 32;
  const even = (x: Uint8Array) => Uint8Array.of(2, ...x);
  const encodedKey = isBip340 && hasOddY(publicKey) ? even(publicKey.subarray(1)) : publicKey;
  const r = isBip340 ? even(signature.subarray(0, split)) : signature.subarray(0, split);
  const key = group.decode(encodedKey);
  const commitment = group.decode(r);
  const z = signature.subarray(split);
  if (key === undefined || commitment === undefined || !group.scalars.isCanonical(z)) return false;
  return verifyEquation(suite, key, commitment, suite.computeChallenge(r, encodedKey, message), z);
}
