import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  type FrostGroup,
  getFrostSuite,
  toFrostPublic,
  toNonceCommitments,
  tweakGroup,
} from '../shared/frost/index.ts';
import { type NonceCommitment, type Payload } from '../shared/api/bodies.ts';
import { ClientError } from './errors.ts';
import {
  findFaultyCommitments,
  findFaultyShares,
  type SignatureShare,
  sortSigners,
} from './signer-values.ts';

export interface GroupSignature {
  /** 64 bytes: Ed25519 (RFC 8032) or BIP-340. */
  readonly signature: Uint8Array;
  /** What verifies it: raw Ed25519, or x-only; of the output key for a taproot signature hash. */
  readonly publicKey: Uint8Array;
}

interface GroupPoint<P> {
  add(point: P): P;
  multiplyUnsafe(scalar: bigint): P;
  toBytes(): Uint8Array;
}

/** The commitment polynomial at x, by Horner's rule: the public point of signer x's share (RFC 9591, C.2). */
function evaluateCommitments<P extends GroupPoint<P>>(points: readonly P[], x: number): Uint8Array {
  const value = points.reduceRight(
    (sum: P | undefined, point) => sum?.multiplyUnsafe(BigInt(x)).add(point) ?? point,
    undefined,
  );
  if (value === undefined) throw new RangeError('a group without commitments');
  return value.toBytes();
}

/** @throws RangeError where a commitment of the group is no point */
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
    throw new RangeError('group.commitments: points of the group are expected, compressed', { cause });
  }
}

/**
 * Puts signature shares together and verifies the result (RFC 9591, 5.3). Nothing in it is secret. Each signer's
 * values are checked by themselves first, so that all who have sent what cannot be used are named, whatever the
 * arithmetic would make of it.
 *
 * @param commitments the list that every signer got in round two
 * @throws ClientError AGGREGATION_FAILED, with those at fault in `details.signers`
 * @throws RangeError where the group's own commitments are no points
 */
export function aggregateSignature(
  group: FrostGroup,
  payload: Payload,
  commitments: readonly NonceCommitment[],
  shares: readonly SignatureShare[],
): GroupSignature {
  // A list that is too short is the caller's, and no share was made for it.
  if (commitments.length < group.threshold) throw unusable([]);
  const withoutCommitment = findFaultyCommitments(group, commitments);
  const faulty = findFaultyShares(group.type, commitments, shares);
  // Without every commitment nobody can tell whether a share is right.
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

/** One signing of a group as noble takes it. */
function prepareRound(group: FrostGroup, payload: Payload, commitments: readonly NonceCommitment[]) {
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

/** The signers whose shares do not verify (RFC 9591, 5.4), of those that are not known to be at fault already. */
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
        // Too few signers, or a message that this algorithm does not take: nobody's share is to blame for that.
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
    'the shares make no signature: details.signers names those who have sent what is none',
    { signers: sortSigners(signers) },
    cause,
  );
}
