import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  type FrostGroup,
  getFrostSuite,
  toFrostPublic,
  toNonceCommitments,
  tweakGroup,
} from '../shared/frost/index.ts';
import { type NonceCommitment, type Payload } from '../shared/node/api.ts';
import { ClientError } from './errors.ts';

export interface SignatureShare {
  readonly participant: number;
  /** 32 bytes in hex, as round two answers. */
  readonly signatureShare: string;
}

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

function deriveVerifyingShare({ type, commitments }: FrostGroup, participant: number): Uint8Array {
  return type === 'frost-ed25519'
    ? evaluateCommitments(
        commitments.map((bytes) => ed25519.Point.fromBytes(bytes)),
        participant,
      )
    : evaluateCommitments(
        commitments.map((bytes) => secp256k1.Point.fromBytes(bytes)),
        participant,
      );
}

/**
 * Puts signature shares together and verifies the result (RFC 9591, 5.3). Nothing in it is secret.
 *
 * @param commitments the list that every signer got in round two
 * @throws ClientError AGGREGATION_FAILED
 */
export function aggregateSignature(
  group: FrostGroup,
  payload: Payload,
  commitments: readonly NonceCommitment[],
  shares: readonly SignatureShare[],
): GroupSignature {
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
  try {
    const signature = frost.aggregate(
      signed,
      toNonceCommitments(group.type, commitments),
      Buffer.from(payload.kind === 'message' ? payload.message : payload.digest, 'hex'),
      Object.fromEntries(
        shares.map(({ participant, signatureShare }) => [
          identify(participant),
          new Uint8Array(Buffer.from(signatureShare, 'hex')),
        ]),
      ),
    );
    const [publicKey = new Uint8Array(0)] = signed.commitments;
    return { signature, publicKey: group.type === 'frost-ed25519' ? publicKey : publicKey.subarray(1) };
  } catch (cause) {
    const signers = commitments
      .map(({ participant }) => participant)
      .filter((participant) => listCheaters(cause).includes(identify(participant)));
    throw new ClientError('AGGREGATION_FAILED', 'the shares make no signature', { signers }, cause);
  }
}

/** Noble names those whose shares do not verify in the error's `cheaters`. */
function listCheaters(error: unknown): readonly unknown[] {
  const cheaters = error instanceof Error && 'cheaters' in error ? error.cheaters : [];
  return Array.isArray(cheaters) ? cheaters : [];
}
