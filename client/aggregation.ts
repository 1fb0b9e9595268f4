import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  type FrostGroup,
  getFrostSuite,
  toFrostPublic,
  toNonceCommitments,
  tweakGroup,
} from '../shared/frost/index.ts';
import { type NonceCommitment, type BlindPayload } from '../shared/api/bodies.ts';
import { ClientError } from './errors.ts';
import {
  findFaultyCommitments,
  findFaultyShares,
  type SignatureShare,
  sortSigners,
} from './signer-values.ts';

/** A signature of a group, verified. */
export interface GroupSignature {
  /** The signature, 64 bytes: Ed25519 (RFC 8032) or BIP-340. */
  readonly signature: Uint8Array;
  /** Public key that verifies it, 32 bytes: Ed25519, or x-only; for a taproot-sighash the output key (BIP-341). */
  readonly publicKey: Uint8Array;
}

interface GroupPoint<P> {
  add(point: P): P;
  multiplyUnsafe(scalar: bigint): P;
  toBytes(): Uint8Array;
}

/** Evaluates the commitment polynomial at x by Horner's rule: the public point of signer x's share (RFC 9591, C.2). */
function evaluateCommitments<P extends GroupPoint<P>>(points: readonly P[], x: number): Uint8Array {
  const value = points.reduceRight(
    (sum: P | undefined, point) => sum?.multiplyUnsafe(BigInt(x)).add(point) ?? point,
    undefined,
  );
  if (value === undefined)
    throw new RangeError('group.commitments is empty: expected one point for each signer of the threshold');
  return value.toBytes();
}

/**
 * Derives the public point of a signer's share from the group's commitments.
 *
 * @throws RangeError where a commitment of the group is no point
 */
function deriveVerifyingShare({ type, commitments }: FrostGroup, participant: number): Uint8Array {
  try {
    return type === 'frost-ed25519'
      ? evaluateCommitments(
          commitments.map((bytes) => ed25519.Point.fromBytes(bytes)),
          participant,
        )
      : evaluateCommitments(
          commitments.map((bytes) => secp256k1.Point.fromBytes(bytes)),
          participant,
        );
  } catch (cause) {
    throw new RangeError('group.commitments has a value that is no compressed point of the group', { cause });
  }
}

/**
 * Aggregates signature shares into a signature and verifies it. No input is secret. Each signer's values are checked one by
 * one first, so that the refusal names every signer whose values cannot be used.
 *
 * @param payload what the signers signed; hex in lower case
 * @param commitments the list that every signer got in round two, points in compressed hex
 * @param shares one of each signer of `commitments`, 32 bytes in hex
 * @throws ClientError AGGREGATION_FAILED, with the signers at fault in `details.signers`, none when nobody's values are
 * @throws RangeError where the group's own commitments are no points
 *
 * Source: RFC 9591 section 5.3, and 5.4 for the identifiable abort; BIP-340 and BIP-341 for taproot.
 */
export function aggregateSignature(
  group: FrostGroup,
  payload: BlindPayload,
  commitments: readonly NonceCommitment[],
  shares: readonly SignatureShare[],
): GroupSignature {
  // A list shorter than the threshold is the caller's fault: no node makes a share for it.
  if (commitments.length < group.threshold) throw unusable([]);
  const withoutCommitment = findFaultyCommitments(group, commitments);
  const faulty = findFaultyShares(group.type, commitments, shares);
  // A share can be verified only with usable commitments of every signer.
  if (withoutCommitment.length > 0) throw unusable([...withoutCommitment, ...faulty]);
  const round = prepareRound(group, payload, commitments);
  const { frost, identify, signed, list, message } = round;
  if (faulty.length > 0) throw unusable([...faulty, ...findWrongShares(round, shares, faulty)]);
  const shareOf = ({ participant, signatureShare }: SignatureShare) =>
    [identify(participant), decodeHex(signatureShare)] as const;
  try {
    const signature = frost.aggregate(signed, list, message, Object.fromEntries(shares.map(shareOf)));
    const [publicKey = new Uint8Array(0)] = signed.commitments;
    return { signature, publicKey: group.type === 'frost-ed25519' ? publicKey : publicKey.subarray(1) };
  } catch (cause) {
    throw unusable(findWrongShares(round, shares, []), cause);
  }
}

/** Prepares the inputs of one signing in the form that noble's FROST takes. */
function prepareRound(group: FrostGroup, payload: BlindPayload, commitments: readonly NonceCommitment[]) {
  const { frost } = getFrostSuite(group.type);
  const identify = (participant: number) => frost.Identifier.fromNumber(participant);
  const verifyingShares = Object.fromEntries(
    commitments.map(({ participant }) => [
      identify(participant),
      new Uint8Array(deriveVerifyingShare(group, participant)),
    ]),
  );
  const dealt = toFrostPublic(group, verifyingShares);
  const signed =
    payload.kind === 'taproot-sighash' ? tweakGroup(dealt, Buffer.from(payload.merkleRoot, 'hex')) : dealt;
  const message = decodeHex(payload.kind === 'message' ? payload.message : payload.digest);
  return { frost, identify, signed, list: toNonceCommitments(group.type, commitments), message };
}

/** Finds the signers whose shares do not verify (RFC 9591 section 5.4), apart from those known to be at fault. */
function findWrongShares(
  { frost, identify, signed, list, message }: ReturnType<typeof prepareRound>,
  shares: readonly SignatureShare[],
  known: readonly number[],
): number[] {
  return shares
    .filter(({ participant }) => !known.includes(participant))
    .filter(({ participant, signatureShare }) => {
      try {
        return !frost.verifyShare(signed, list, message, identify(participant), decodeHex(signatureShare));
      } catch {
        // Too few signers, or a message that the algorithm does not take: no share is to blame.
        return false;
      }
    })
    .map(({ participant }) => participant);
}

function decodeHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

function unusable(signers: readonly number[], cause?: unknown): ClientError {
  return new ClientError(
    'AGGREGATION_FAILED',
    'the shares make no signature: details.signers names the signers whose values cannot be used',
    { signers: sortSigners(signers) },
    cause,
  );
}
