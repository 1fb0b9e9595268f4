import { ed25519 } from '@noble/curves/ed25519.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { type FrostGroup, getFrostSuite, SCALAR_BYTES } from '../shared/frost/index.ts';
import { type ShareType } from '../shared/algorithms.ts';
import { type NonceCommitment } from '../shared/api/bodies.ts';

/** One signer's share of a signature: the result of round two. */
export interface SignatureShare {
  /** Place of the signer in the quorum, from 1. */
  readonly participant: number;
  /** The share: a scalar of 32 bytes in hex, as the group serialises it. */
  readonly signatureShare: string;
}

/**
 * Finds the signers whose nonce commitments cannot be used, whatever the others have sent: a signer outside of the group,
 * a commitment that occurs twice, or a value that is no point of the group or its identity (RFC 9591 sections 3.1 and 6:
 * an element is refused unless it is canonical and of prime order).
 */
export function findFaultyCommitments(
  { type, participants }: Pick<FrostGroup, 'type' | 'participants'>,
  commitments: readonly NonceCommitment[],
): number[] {
  return findFaulty(
    commitments,
    ({ participant, hiding, binding }) =>
      isParticipant(participant, participants) && isElement(type, hiding) && isElement(type, binding),
  );
}

/**
 * Finds the signers whose signature shares cannot be used, whatever the others have sent: a share that is missing, occurs
 * twice, comes from a signer without a nonce commitment, or is no scalar of the group (RFC 9591 section 3.1: 0 to the
 * order less 1; 0 is refused as well, as noble refuses it).
 */
export function findFaultyShares(
  type: ShareType,
  commitments: readonly Pick<NonceCommitment, 'participant'>[],
  shares: readonly SignatureShare[],
): number[] {
  const committed = new Set(commitments.map(({ participant }) => participant));
  const sent = new Set(shares.map(({ participant }) => participant));
  const faulty = findFaulty(
    shares,
    ({ participant, signatureShare }) => committed.has(participant) && isScalar(type, signatureShare),
  );
  const missing = [...committed].filter((participant) => !sent.has(participant));
  return sortSigners([...faulty, ...missing]);
}

/** Returns each signer once, in ascending order. */
export function sortSigners(signers: readonly number[]): number[] {
  return [...new Set(signers)].toSorted((left, right) => left - right);
}

function findFaulty<T extends { readonly participant: number }>(
  values: readonly T[],
  isUsable: (value: T) => boolean,
): number[] {
  const seen = new Set<number>();
  const faulty: number[] = [];
  for (const value of values) {
    if (seen.has(value.participant) || !isUsable(value)) faulty.push(value.participant);
    seen.add(value.participant);
  }
  return sortSigners(faulty);
}

function isParticipant(participant: number, participants: number): boolean {
  return Number.isInteger(participant) && participant >= 1 && participant <= participants;
}

/** Whether the hex is the canonical encoding, in lower case, of an element other than the identity. */
function isElement(type: ShareType, hex: string): boolean {
  const bytes = readHex(hex, getFrostSuite(type).elementBytes);
  if (bytes === undefined) return false;
  try {
    if (type === 'frost-secp256k1-taproot') {
      secp256k1.Point.fromBytes(bytes).assertValidity();
      return true;
    }
    const point = ed25519.Point.fromBytes(bytes);
    return !point.is0() && point.isTorsionFree();
  } catch {
    return false;
  }
}

function isScalar(type: ShareType, hex: string): boolean {
  const bytes = readHex(hex, SCALAR_BYTES);
  if (bytes === undefined) return false;
  const { Fn } = type === 'frost-ed25519' ? ed25519.Point : secp256k1.Point;
  try {
    return !Fn.is0(Fn.fromBytes(bytes));
  } catch {
    return false;
  }
}

function readHex(hex: string, length: number): Uint8Array | undefined {
  const isWellFormed = hex.length === 2 * length && /^[0-9a-f]*$/.test(hex);
  return isWellFormed ? new Uint8Array(Buffer.from(hex, 'hex')) : undefined;
}
