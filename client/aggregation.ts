import {
  adjustGroup,
  aggregate,
  createTaprootTweak,
  decodeGroup,
  type DecodedGroup,
  type FrostGroup,
  nobleSuites,
  ThresholdError,
  verifySignatureShare,
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
  /** The signature, 64 bytes: Ed25519 (RFC 8032), BIP-340 or ristretto255; 65 of P-256 (RFC 9591, appendix A). */
  readonly signature: Uint8Array;
  /** Public key that verifies it: 32 bytes, x-only for BIP-340 and for a taproot-sighash the output key; P-256: 33. */
  readonly publicKey: Uint8Array;
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
  if (faulty.length > 0) throw unusable([...faulty, ...findWrongShares(round, shares, faulty)]);
  try {
    const signature = aggregate(round.group, round.list, round.message, shares.map(decodeShare));
    const [publicKey = new Uint8Array(0)] = round.group.commitments;
    return { signature, publicKey: round.group.suite.isBip340 ? publicKey.subarray(1) : publicKey };
  } catch (cause) {
    throw unusable(cause instanceof ThresholdError ? cause.culprits : [], cause);
  }
}

interface Round {
  /** The group whose key verifies the signature: for a taproot-sighash the tweaked one. */
  readonly group: DecodedGroup;
  readonly list: Parameters<typeof aggregate>[1];
  readonly message: Uint8Array;
}

/** Decodes the inputs of one signing. */
function prepareRound(
  publicGroup: FrostGroup,
  payload: BlindPayload,
  commitments: readonly NonceCommitment[],
): Round {
  const dealt = decodePublicGroup(publicGroup);
  const group =
    payload.kind === 'taproot-sighash'
      ? adjustGroup(dealt, createTaprootTweak(dealt, decodeHex(payload.merkleRoot)))
      : dealt;
  const list = commitments.map(({ participant, hiding, binding }) => ({
    participant,
    hiding: decodeHex(hiding),
    binding: decodeHex(binding),
  }));
  return { group, list, message: decodeHex(payload.kind === 'message' ? payload.message : payload.digest) };
}

function decodePublicGroup(group: FrostGroup): DecodedGroup {
  try {
    return decodeGroup(nobleSuites[group.type], group);
  } catch (cause) {
    throw new RangeError('group.commitments has a value that is no compressed point of the group', { cause });
  }
}

function decodeShare({ participant, signatureShare }: SignatureShare) {
  return { participant, signatureShare: decodeHex(signatureShare) };
}

/** Finds the signers whose shares do not verify (RFC 9591 section 5.4), apart from those known to be at fault. */
function findWrongShares(
  { group, list, message }: Round,
  shares: readonly SignatureShare[],
  known: readonly number[],
): number[] {
  return shares
    .filter(({ participant }) => !known.includes(participant))
    .filter((share) => {
      try {
        return !verifySignatureShare(group, list, message, decodeShare(share));
      } catch (error) {
        // Too few signers: no share is to blame.
        if (error instanceof ThresholdError) return false;
        throw error;
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
